//! Passes a request on to the service behind, and the response back; bodies as they come.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Request, Response, Version, header};
use tower::service_fn;

use crate::{
    answer,
    body::{Body, Forbidden, Passing},
    endpoint::Endpoint,
    header_policies::HeaderPolicies,
    hop_by_hop,
    loops::{CDN_LOOP, Trail},
    operation::Layered,
    upstream::{Failure, Way},
};

/// Where in the request's path that begins which is behind the API's prefix; in the request's extensions.
///
/// The request keeps its own URI until it leaves, so that a refusal speaks of the path the client knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rest(pub(crate) usize);

/// Sends an API's requests to the service behind.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    way: Way,
    endpoint: Arc<Endpoint>,
    forbidden: Forbidden,
    response_policies: HeaderPolicies,
}

impl Proxy {
    /// `forbidden`: the header fields that must not come as trailers either.
    pub(crate) fn new(way: Way, endpoint: Endpoint, forbidden: Forbidden) -> Self {
        Self {
            way,
            endpoint: Arc::new(endpoint),
            forbidden,
            response_policies: HeaderPolicies::default(),
        }
    }

    /// What is done to the headers of the service's answers, and not to those that are made here when
    /// there is none.
    pub(crate) fn with_response_policies(self, response_policies: HeaderPolicies) -> Self {
        Self {
            response_policies,
            ..self
        }
    }

    fn outgoing(&self, mut request: Request<Body>) -> Option<Request<Passing<Body>>> {
        let Rest(rest) = request.extensions_mut().remove()?;
        let Trail(trail) = request.extensions_mut().remove()?;
        let rest = request.uri().path().get(rest..)?;
        let url = self.endpoint.url(rest, request.uri().query()).ok()?;

        let (mut parts, body) = request.into_parts();
        // The client sets the host of the URL, and the length of the body as it really is.
        parts.headers.remove(header::HOST);
        parts.headers.remove(header::CONTENT_LENGTH);
        // Answered on this side of the gateway already, when the body is first read.
        parts.headers.remove(header::EXPECT);
        join_cookies(&mut parts.headers);
        parts.headers.insert(CDN_LOOP, trail);

        let mut outgoing = Request::new(Passing::new(body, self.forbidden.clone()));
        *outgoing.method_mut() = parts.method;
        *outgoing.uri_mut() = url;
        *outgoing.headers_mut() = parts.headers;
        Some(outgoing)
    }

    /// The innermost service of an API.
    pub(crate) fn service(self) -> impl Layered<Body = Body> {
        let proxy = Arc::new(self);
        service_fn(move |request| {
            let proxy = Arc::clone(&proxy);
            async move { Ok(proxy.exchange(request).await) }
        })
    }

    async fn exchange(&self, request: Request<Body>) -> Response<Body> {
        let Some(outgoing) = self.outgoing(request) else {
            tracing::error!(endpoint = %self.endpoint, "a request reached the proxy without a valid path or a trail");
            return answer::internal_error();
        };
        match self.way.send(outgoing).await {
            Ok(response) => {
                let (mut parts, body) = response.into_parts();
                parts.version = Version::default();
                // First, or the service could take off by its `Connection` what a policy sets.
                hop_by_hop::strip(&mut parts.headers);
                self.response_policies.apply(&mut parts.headers);
                Response::from_parts(
                    parts,
                    Body::Passing {
                        body: Passing::new(body, self.forbidden.clone()),
                    },
                )
            }
            Err(Failure::Unreachable(error)) => {
                let error: &(dyn std::error::Error + 'static) = &*error;
                tracing::warn!(endpoint = %self.endpoint, error, "the service behind cannot be reached");
                answer::bad_gateway()
            }
            Err(Failure::ConnectTimeout) => {
                tracing::warn!(endpoint = %self.endpoint, "connecting to the service behind takes too long");
                answer::gateway_timeout()
            }
            Err(Failure::ResponseTimeout) => {
                tracing::warn!(endpoint = %self.endpoint, "the service behind does not answer in time");
                answer::gateway_timeout()
            }
        }
    }
}

/// HTTP/2 may split the cookies over several fields; HTTP/1.1 has one (RFC 9113 section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut cookies = headers.get_all(header::COOKIE).iter();
    if cookies.by_ref().nth(1).is_none() {
        return;
    }
    let all: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{body, upstream::Upstream};

    fn outgoing(rest: usize, request: http::request::Builder) -> Request<Passing<Body>> {
        let endpoint = Endpoint::parse("http://127.0.0.1:9/base").unwrap();
        let proxy = Proxy::new(
            Upstream::plain().to(&endpoint).unwrap(),
            endpoint,
            Forbidden::default(),
        );
        proxy
            .outgoing(
                request
                    .extension(Rest(rest))
                    .extension(Trail(HeaderValue::from_static("a, me")))
                    .body(body::full(""))
                    .unwrap(),
            )
            .unwrap()
    }

    #[tokio::test]
    async fn the_service_behind_sees_its_own_host_and_path() {
        let request = outgoing(
            "/api/1.0.0".len(),
            Request::builder()
                .method("PUT")
                .version(Version::HTTP_2)
                .uri("http://api.example.com/api/1.0.0/x?q=1")
                .header("host", "other.example.com")
                .header("content-length", "7")
                .header("expect", "100-continue"),
        );
        assert_eq!(request.method(), "PUT");
        assert_eq!(request.uri(), "/base/x?q=1");
        assert_eq!(request.version(), Version::HTTP_11);
        assert_eq!(request.headers().get("host"), None);
        assert_eq!(request.headers().get("content-length"), None);
        assert_eq!(request.headers().get("expect"), None);
        assert_eq!(request.headers()["cdn-loop"], "a, me");
    }

    #[tokio::test]
    async fn split_cookies_are_joined() {
        let request = outgoing(
            0,
            Request::builder()
                .uri("/")
                .header("cookie", "a=1")
                .header("cookie", "b=2; c=3"),
        );
        let cookies: Vec<_> = request.headers().get_all("cookie").iter().collect();
        assert_eq!(cookies, ["a=1; b=2; c=3"]);
    }
}
