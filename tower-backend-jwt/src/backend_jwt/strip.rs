//! Removing a header field that only we may set.

use super::future::StripHeaderFuture;
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response,
    header::{CONNECTION, TRAILER},
};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Removes a header field from requests and responses, in all spellings that a service behind may
/// take for it.
///
/// [`BackendJwtLayer`](crate::BackendJwtLayer) does this by itself. This layer is for the routes
/// beside it, which carry no backend JWT and must not carry a forged one either.
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
    name: HeaderName,
}

impl StripHeaderLayer {
    /// Removes the field of this name.
    pub const fn new(name: HeaderName) -> Self {
        Self { name }
    }
}

impl<S> Layer<S> for StripHeaderLayer {
    type Service = StripHeader<S>;

    fn layer(&self, inner: S) -> StripHeader<S> {
        StripHeader {
            inner,
            name: self.name.clone(),
        }
    }
}

/// The service of a [`StripHeaderLayer`].
#[derive(Clone, Debug)]
pub struct StripHeader<S> {
    inner: S,
    name: HeaderName,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for StripHeader<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = StripHeaderFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        strip(request.headers_mut(), &self.name);
        StripHeaderFuture::new(self.inner.call(request), self.name.clone())
    }
}

/// Removes a field and whatever may be taken for it.
///
/// Gateways of the CGI kind turn `-`, `_` and `.` into one character, so that `X_JWT_Assertion`
/// arrives as `X-JWT-Assertion` does. And a field that `Connection` names would be removed by the
/// next proxy: ours would not arrive.
pub(super) fn strip(headers: &mut HeaderMap, name: &HeaderName) {
    headers.remove(name);
    let twins: Vec<HeaderName> = headers
        .keys()
        .filter(|other| reads_as(other.as_str(), name))
        .cloned()
        .collect();
    for twin in twins {
        headers.remove(twin);
    }
    for listing in [CONNECTION, TRAILER] {
        unlist(headers, listing, name);
    }
}

fn reads_as(other: &str, name: &HeaderName) -> bool {
    let fold = |byte: u8| match byte {
        b'_' | b'.' => b'-',
        other => other.to_ascii_lowercase(),
    };
    other.len() == name.as_str().len()
        && other.bytes().map(fold).eq(name.as_str().bytes().map(fold))
}

/// Takes a name out of a field that lists names.
fn unlist(headers: &mut HeaderMap, listing: HeaderName, name: &HeaderName) {
    let listed = |value: &HeaderValue| {
        let mut names = value.as_bytes().split(|byte| *byte == b',');
        names.any(|listed| {
            std::str::from_utf8(listed.trim_ascii()).is_ok_and(|listed| reads_as(listed, name))
        })
    };
    if !headers.get_all(&listing).iter().any(listed) {
        return;
    }
    let kept: Vec<&[u8]> = headers
        .get_all(&listing)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|listed| !std::str::from_utf8(listed).is_ok_and(|listed| reads_as(listed, name)))
        .collect();
    let kept = kept.join(&b", "[..]);
    match HeaderValue::from_bytes(&kept) {
        Ok(value) if !kept.is_empty() => headers.insert(listing, value),
        _ => headers.remove(listing),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_and_every_copy_goes() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-jwt-assertion", "a"),
            ("x_jwt_assertion", "b"),
            ("x-jwt_assertion", "c"),
            ("x.jwt.assertion", "d"),
            ("x-jwt-assertion-2", "kept"),
            ("connection", "close, X-JWT-Assertion"),
            ("trailer", "x_jwt_assertion"),
        ] {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        strip(&mut headers, &HeaderName::from_static("x-jwt-assertion"));
        let mut left: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        left.sort_unstable();
        assert_eq!(
            left,
            [("connection", "close"), ("x-jwt-assertion-2", "kept")]
        );
    }
}
