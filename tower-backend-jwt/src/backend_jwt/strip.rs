//! Removing header fields that only we may set.

use super::{body::StripBody, field_names::Names, future::StripHeaderFuture};
use crate::field::strip;
use http::{HeaderName, Request, Response};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Removes a header field, or several, from requests and responses, in all spellings that a service
/// behind may take for it.
///
/// [`BackendJwtLayer`](crate::BackendJwtLayer) does this by itself. This layer is for the routes
/// beside it, which carry no backend JWT and must not carry a forged one either.
///
/// # Order
///
/// Outside of whatever sets the field for the services behind, if anything does: it removes that too
/// where it stands inside.
///
/// # Deployment
///
/// As with [`BackendJwtLayer`](crate::BackendJwtLayer): a proxy further in must not make header fields
/// of a request's trailers.
///
/// ```
/// use http::{HeaderName, Request, Response};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_backend_jwt::StripHeaderLayer;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = service_fn(async |request: Request<()>| {
///     assert!(request.headers().is_empty());
///     Ok::<_, std::convert::Infallible>(Response::new(()))
/// });
/// let service = StripHeaderLayer::new(HeaderName::from_static("x-jwt-assertion")).layer(service);
/// service.oneshot(Request::get("/").header("X_JWT_Assertion", "forged").body(())?).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct StripHeaderLayer {
    names: Names,
}

impl StripHeaderLayer {
    /// Removes the field of this name.
    pub fn new(name: HeaderName) -> Self {
        Self {
            names: Names::One(name),
        }
    }

    /// Removes the fields of all these names. One layer for many of them: as many layers around each
    /// other need as much of the stack for each request.
    ///
    /// ```
    /// # use http::HeaderName;
    /// # use tower_backend_jwt::StripHeaderLayer;
    /// let layer = StripHeaderLayer::several([
    ///     HeaderName::from_static("x-jwt-assertion"),
    ///     HeaderName::from_static("x-userinfo"),
    /// ]);
    /// ```
    pub fn several(names: impl IntoIterator<Item = HeaderName>) -> Self {
        Self {
            names: Names::Several(names.into_iter().collect()),
        }
    }
}

impl<S> Layer<S> for StripHeaderLayer {
    type Service = StripHeader<S>;

    fn layer(&self, inner: S) -> StripHeader<S> {
        StripHeader {
            inner,
            names: self.names.clone(),
        }
    }
}

/// The service of a [`StripHeaderLayer`].
#[derive(Clone, Debug)]
pub struct StripHeader<S> {
    inner: S,
    names: Names,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for StripHeader<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<StripBody<ResBody>>;
    type Error = S::Error;
    type Future = StripHeaderFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        for name in self.names.iter() {
            strip(request.headers_mut(), name);
        }
        StripHeaderFuture::new(self.inner.call(request), self.names.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use std::convert::Infallible;
    use tower::{ServiceExt, service_fn};

    #[tokio::test]
    async fn a_layer_for_several_fields_removes_all_of_them_and_one_for_none_nothing() {
        let send = async |names: &[&'static str]| {
            let layer =
                StripHeaderLayer::several(names.iter().copied().map(HeaderName::from_static));
            let service = layer.layer(service_fn(async |request: Request<()>| {
                let mut response = Response::new(());
                *response.headers_mut() = request.headers().clone();
                response
                    .headers_mut()
                    .insert("x-b", HeaderValue::from_static("theirs"));
                Ok::<_, Infallible>(response)
            }));
            let request = Request::get("/")
                .header("X_A", "1")
                .header("x-b", "2")
                .header("x-c", "3");
            let response = service.oneshot(request.body(()).unwrap()).await.unwrap();
            let mut left: Vec<_> = response
                .headers()
                .keys()
                .map(|name| name.as_str().to_owned())
                .collect();
            left.sort_unstable();
            left
        };
        assert_eq!(send(&["x-a", "x-b"]).await, ["x-c"]);
        assert_eq!(send(&[]).await, ["x-b", "x-c", "x_a"]);
    }
}
