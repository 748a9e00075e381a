//! Among the layers of tower and tower-http.

use super::layers;
use bytes::Bytes;
use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::{Empty, Full};
use serde_json::json;
use std::{convert::Infallible, time::Duration};
use tests::{
    probe::ReadyProbe,
    upstream::{get, get_with, send, signed},
};
use tower::{BoxError, ServiceBuilder, ServiceExt, service_fn};
use tower_http::{
    cors::CorsLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    timeout::TimeoutLayer,
    trace::TraceLayer,
};

/// Answers with whether it was told who calls.
async fn told<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let told = request.headers().contains_key("x-jwt-assertion");
    Ok(Response::new(Full::from(told.to_string())))
}

/// `TraceLayer` asks for a request with a real body.
fn with_body(request: Request<()>) -> Request<Empty<Bytes>> {
    request.map(|()| Empty::new())
}

#[tokio::test]
async fn trace_timeout_cors_and_request_ids_go_around_the_stack() {
    let id = HeaderName::from_static("x-request-id");
    let service = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(SetRequestIdLayer::new(id.clone(), MakeRequestUuid))
        .layer(PropagateRequestIdLayer::new(id))
        .layer(CorsLayer::permissive())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            Duration::from_secs(5),
        ))
        .layer(layers().into_inner())
        .service(service_fn(told));

    let answer = send(&service, with_body(get_with(&signed(&json!({}))))).await;
    assert_eq!(
        (answer.status(), &*answer.body),
        (StatusCode::OK, &b"true"[..])
    );
    // A refusal is traced, identified, and readable across origins.
    let request = get(&[("origin", "https://app.example.com")]);
    let answer = send(&service, with_body(request)).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert!(answer.field("x-request-id").is_some());
    assert_eq!(answer.field("access-control-allow-origin"), Some("*"));
    // A preflight carries no token, and gets no further than the layer it is for.
    let preflight = Request::options("/orders")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "GET")
        .body(())
        .unwrap();
    assert_eq!(
        send(&service, with_body(preflight)).await.status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn limits_and_buffers_inside_and_outside_are_called_only_when_ready() {
    let inside = ServiceBuilder::new()
        .layer(layers().into_inner())
        .buffer(4)
        .concurrency_limit(1)
        .service(ReadyProbe::new(service_fn(told)));
    let outside = ServiceBuilder::new()
        .buffer(4)
        .concurrency_limit(1)
        .layer(layers().into_inner())
        .map_err(BoxError::from)
        .service(ReadyProbe::new(service_fn(told)));
    for _ in 0..3 {
        for token in [signed(&json!({})), "bad".to_owned()] {
            let expected = if token == "bad" { 401 } else { 200 };
            let response = inside.clone().oneshot(get_with(&token)).await.unwrap();
            assert_eq!(response.status(), expected);
            let response = outside.clone().oneshot(get_with(&token)).await.unwrap();
            assert_eq!(response.status(), expected);
        }
    }
}
