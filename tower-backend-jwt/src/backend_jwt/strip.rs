//! Removing a header field that only we may set.

use super::{body::StripBody, future::StripHeaderFuture};
use crate::field::strip;
use http::{HeaderName, Request, Response};
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Removes a header field from requests and responses, in all spellings that a service behind may
/// take for it.
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
    names: Arc<[HeaderName]>,
}

impl StripHeaderLayer {
    /// Removes the field of this name.
    pub fn new(name: HeaderName) -> Self {
        Self {
            names: Arc::new([name]),
        }
    }
}

impl<S> Layer<S> for StripHeaderLayer {
    type Service = StripHeader<S>;

    fn layer(&self, inner: S) -> StripHeader<S> {
        StripHeader {
            inner,
            names: Arc::clone(&self.names),
        }
    }
}

/// The service of a [`StripHeaderLayer`].
#[derive(Clone, Debug)]
pub struct StripHeader<S> {
    inner: S,
    names: Arc<[HeaderName]>,
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
        StripHeaderFuture::new(self.inner.call(request), Arc::clone(&self.names))
    }
}
