//! The service: answers who is calling, as the gateway says.

use axum::{
    Router,
    response::{IntoResponse, Response},
};
use http::{
    HeaderMap, HeaderName, Method, StatusCode, Uri,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use serde::Serialize;
use serde_json::{Map, Value};
use tower_backend_jwt::{AccessTokenLayer, Issuer, Scheme, VerifiedToken};

/// What the gateway is for its callers: tokens of this issuer are taken, from this header.
pub(crate) fn app(gateway: Issuer, header: HeaderName) -> Router {
    let layer = AccessTokenLayer::new(gateway)
        .header(header)
        .scheme(Scheme::Bare) // by itself, not after `Bearer`
        .forward_token(); // so that its name is among those echoed
    Router::new().fallback(echo).layer(layer)
}

#[derive(Serialize)]
struct Echo<'a> {
    method: &'a str,
    path: &'a str,
    headers: Vec<&'a str>,
    claims: Map<String, Value>,
}

async fn echo(caller: VerifiedToken, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    // Names only: values may be credentials, which do not belong into an answer.
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let echo = caller.claims().map(|claims| Echo {
        method: method.as_str(),
        path: uri.path_and_query().map_or("/", |path| path.as_str()),
        headers: names,
        claims,
    });
    let Ok(Ok(json)) = echo.map(|echo| serde_json::to_string_pretty(&echo)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let fields = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    (fields, json + "\n").into_response()
}
