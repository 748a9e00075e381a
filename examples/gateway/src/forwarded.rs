//! What the service behind is told of the connection that it does not see.
//!
//! None of these headers is one that an author can have backend JWTs or values of his own in.

use std::net::SocketAddr;

use http::{HeaderName, HeaderValue, Request, header};

use crate::fold::Start;

/// Who is at the other end of the connection; put into each request's extensions when it arrives.
#[derive(Debug, Clone)]
pub(crate) struct Peer(Option<HeaderValue>);

impl Peer {
    /// Written once for all requests of the connection.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self(HeaderValue::try_from(address.ip().to_string()).ok())
    }
}

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Replaces the `X-Forwarded` headers, and takes off what only a gateway may say.
pub(crate) fn set<B>(mut request: Request<B>) -> Request<B> {
    let peer = request.extensions_mut().remove::<Peer>();
    let host = host(&request);
    let headers = request.headers_mut();
    let claims: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_claim(name))
        .cloned()
        .collect();
    for name in claims {
        headers.remove(name);
    }
    if let Some(Peer(Some(peer))) = peer {
        headers.insert(FOR, peer);
    }
    if let Some(host) = host {
        headers.insert(HOST, host);
    }
    headers.insert(PROTO, HeaderValue::from_static("http"));
    request
}

/// Whether services behind believe this header, because they expect it of a gateway alone.
///
/// Names are compared folded: `X_Forwarded_For` is meant to be read as `X-Forwarded-For`.
pub(crate) fn is_claim(name: &HeaderName) -> bool {
    let name = Start::of(name);
    let name = name.as_str();
    is_of_the_connection(name) || is_override(name) || is_identity(name)
}

/// HTTP/2 has the host in `:authority`, HTTP/1.1 in `Host` unless the target is a whole URL.
fn host<B>(request: &Request<B>) -> Option<HeaderValue> {
    match request.uri().authority() {
        Some(authority) => HeaderValue::try_from(authority.as_str()).ok(),
        None => request.headers().get(header::HOST).cloned(),
    }
}

/// Where the request comes from, and what for.
fn is_of_the_connection(name: &str) -> bool {
    starts_with_any(name, &["x-envoy-", "x-forwarded-"])
        || matches!(
            name,
            "cf-connecting-ip"
                | "client-ip"
                | "fastly-client-ip"
                | "forwarded"
                | "front-end-https"
                | "true-client-ip"
                | "x-client-ip"
                | "x-cluster-client-ip"
                | "x-forwarded"
                | "x-original-forwarded-for"
                | "x-original-host"
                | "x-real-ip"
                | "x-scheme"
                | "x-url-scheme"
        )
}

/// Would be answered for another path or method than the one whose rule the request has passed.
fn is_override(name: &str) -> bool {
    matches!(
        name,
        "x-http-method"
            | "x-http-method-override"
            | "x-http-path-override"
            | "x-method-override"
            | "x-original-method"
            | "x-original-path"
            | "x-original-uri"
            | "x-original-url"
            | "x-rewrite-uri"
            | "x-rewrite-url"
    )
}

/// Who is calling, in the words of other gateways; here only a backend JWT says that.
fn is_identity(name: &str) -> bool {
    starts_with_any(
        name,
        &[
            "remote-",
            "ssl-client-",
            "x-auth-request-",
            "x-authenticated-",
            "x-consumer-",
            "x-credential-",
            "x-goog-authenticated-user-",
            "x-ms-client-principal",
            "x-remote-",
            "x-ssl-client-",
            "x-webauth-",
        ],
    ) || matches!(
        name,
        "cf-access-authenticated-user-email"
            | "client-cert"
            | "client-cert-chain"
            | "x-amzn-oidc-identity"
            | "x-anonymous-consumer"
            | "x-apigateway-api-userinfo"
            | "x-client-cert"
            | "x-endpoint-api-userinfo"
            | "x-userinfo"
    )
}

fn starts_with_any(name: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_says_of_the_connection_is_replaced() {
        let request = Request::builder()
            .uri("/a")
            .header("host", "api.example.com")
            .header("x-forwarded-for", "10.0.0.1")
            .header("x_forwarded_for", "10.0.0.2")
            .header("x-forwarded-port", "1")
            .header("x-forwarded-proto", "https")
            .header("forwarded", "for=10.0.0.3")
            .header("x-real-ip", "10.0.0.4")
            .header("x-other", "kept")
            .extension(Peer::new(([192, 0, 2, 7], 1234).into()))
            .body(())
            .unwrap();
        let request = set(request);
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
        let request = Request::builder()
            .uri("http://api.example.com:8080/a")
            .header("X-Original-URL", "/admin")
            .header("X-Rewrite-URL", "/admin")
            .header("X-HTTP-Method-Override", "DELETE")
            .header("X_HTTP_Method_Override", "DELETE")
            .header("X-HTTP-Method", "DELETE")
            .header("X-Method-Override", "DELETE")
            .header("x~original~url", "/admin")
            .header("X-Envoy-Original-Path", "/admin")
            .body(())
            .unwrap();
        let request = set(request);
        let names: Vec<_> = request.headers().keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-forwarded-host", "x-forwarded-proto"]);
        assert_eq!(
            request.headers()["x-forwarded-host"],
            "api.example.com:8080"
        );
    }
}
