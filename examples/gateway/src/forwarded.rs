//! What the service behind is told of the connection that it does not see.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, HeaderValue, Request, header};

use crate::fold::folded;

/// Who is at the other end of the connection; put into each request's extensions when it arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Replaces the `X-Forwarded` headers, and takes off what would make the service behind answer for
/// another path or method than the one whose rule the request has passed.
pub(crate) fn set<B>(request: &mut Request<B>) {
    let peer = request.extensions().get::<Peer>().copied();
    let host = host(request);
    let headers = request.headers_mut();
    remove(headers, is_claim_about_the_connection);
    remove(headers, is_override);
    if let Some(value) =
        peer.and_then(|Peer(address)| HeaderValue::try_from(address.ip().to_string()).ok())
    {
        headers.insert(FOR, value);
    }
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
    headers.insert(PROTO, HeaderValue::from_static("http"));
}

/// HTTP/2 has the host in `:authority`, HTTP/1.1 in `Host` unless the target is a whole URL.
fn host<B>(request: &Request<B>) -> Option<HeaderValue> {
    match request.uri().authority() {
        Some(authority) => HeaderValue::try_from(authority.as_str()).ok(),
        None => request.headers().get(header::HOST).cloned(),
    }
}

fn is_claim_about_the_connection(name: &str) -> bool {
    name.starts_with("x-forwarded-") || matches!(name, "forwarded" | "x-real-ip")
}

fn is_override(name: &str) -> bool {
    matches!(
        name,
        "x-http-method"
            | "x-http-method-override"
            | "x-method-override"
            | "x-original-method"
            | "x-original-uri"
            | "x-original-url"
            | "x-rewrite-url"
    )
}

/// Names are compared folded: `X_Forwarded_For` is meant to be read as `X-Forwarded-For`.
fn remove(headers: &mut HeaderMap, unwanted: fn(&str) -> bool) {
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| unwanted(&folded(name)))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_says_of_the_connection_is_replaced() {
        let mut request = Request::builder()
            .uri("/a")
            .header("host", "api.example.com")
            .header("x-forwarded-for", "10.0.0.1")
            .header("x_forwarded_for", "10.0.0.2")
            .header("x-forwarded-port", "1")
            .header("x-forwarded-proto", "https")
            .header("forwarded", "for=10.0.0.3")
            .header("x-real-ip", "10.0.0.4")
            .header("x-other", "kept")
            .extension(Peer(([192, 0, 2, 7], 1234).into()))
            .body(())
            .unwrap();
        set(&mut request);
        let mut seen: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        seen.sort_unstable();
        assert_eq!(
            seen,
            [
                ("host", "api.example.com"),
                ("x-forwarded-for", "192.0.2.7"),
                ("x-forwarded-host", "api.example.com"),
                ("x-forwarded-proto", "http"),
                ("x-other", "kept"),
            ]
        );
    }

    #[test]
    fn no_header_makes_the_service_behind_serve_something_else() {
        let mut request = Request::builder()
            .uri("http://api.example.com:8080/a")
            .header("X-Original-URL", "/admin")
            .header("X-Rewrite-URL", "/admin")
            .header("X-HTTP-Method-Override", "DELETE")
            .header("X_HTTP_Method_Override", "DELETE")
            .header("X-HTTP-Method", "DELETE")
            .header("X-Method-Override", "DELETE")
            .body(())
            .unwrap();
        set(&mut request);
        let names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-forwarded-host", "x-forwarded-proto"]);
        assert_eq!(
            request.headers()["x-forwarded-host"],
            "api.example.com:8080"
        );
    }
}
