//! Headers that concern one connection only, taken off in both directions (RFC 9110 section 7.6.1).
//!
//! Goes outside of whatever sets a header: a client that writes `Connection: X-JWT-Assertion` then
//! takes off its own header, not the gateway's.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, HeaderName, Request, Response, header};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

/// Takes the hop-by-hop headers off requests and responses.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StripHopByHopLayer;

impl<S> Layer<S> for StripHopByHopLayer {
    type Service = StripHopByHop<S>;

    fn layer(&self, inner: S) -> Self::Service {
        StripHopByHop { inner }
    }
}

/// See [`StripHopByHopLayer`].
#[derive(Debug, Clone)]
pub(crate) struct StripHopByHop<S> {
    inner: S,
}

impl<S, A, B> Service<Request<A>> for StripHopByHop<S>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        strip(request.headers_mut());
        ResponseFuture {
            inner: self.inner.call(request),
        }
    }
}

pin_project! {
    /// The response without its hop-by-hop headers.
    #[derive(Debug)]
    pub(crate) struct ResponseFuture<F> {
        #[pin]
        inner: F,
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut result = ready!(self.project().inner.poll(cx));
        if let Ok(response) = &mut result {
            strip(response.headers_mut());
        }
        Poll::Ready(result)
    }
}

/// Takes them off, and those that `Connection` names.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let nominated: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect();
    let fixed: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_hop_by_hop(name.as_str()))
        .cloned()
        .collect();
    for name in nominated.iter().chain(&fixed) {
        headers.remove(name);
    }
}

/// `Proxy` itself is no header at all, but becomes the variable HTTP_PROXY in a CGI.
pub(crate) fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "http2-settings"
            | "keep-alive"
            | "proxy"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    ) || name.starts_with("proxy-")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http::HeaderValue;
    use tower::{ServiceExt, service_fn};

    use super::*;

    const HOP_BY_HOP: [&str; 11] = [
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];

    fn fill(headers: &mut HeaderMap) {
        for name in HOP_BY_HOP {
            headers.insert(name, HeaderValue::from_static("x"));
        }
        headers.insert(
            "connection",
            HeaderValue::from_static("close, X-One ,, a b, X-JWT-Assertion"),
        );
        for name in ["x-one", "x-jwt-assertion", "x-kept", "content-length"] {
            headers.insert(name, HeaderValue::from_static("1"));
        }
    }

    #[tokio::test]
    async fn hop_by_hop_headers_pass_in_neither_direction() {
        let service = StripHopByHopLayer.layer(service_fn(async |request: Request<()>| {
            let names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
            assert_eq!(names, ["x-kept", "content-length"]);
            let mut response = Response::new(());
            fill(response.headers_mut());
            Ok::<_, Infallible>(response)
        }));
        let mut request = Request::new(());
        fill(request.headers_mut());
        let response = service.oneshot(request).await.unwrap();
        let names: Vec<_> = response.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-kept", "content-length"]);
    }
}
