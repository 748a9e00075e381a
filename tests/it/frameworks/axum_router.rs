//! axum: the layers around a router, and around some of its routes.

use super::layers;
use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use std::net::SocketAddr;
use tests::upstream::{fields, signed};
use tokio::net::TcpListener;
use tower_jwks::JwksEndpoint;

async fn seen(headers: HeaderMap) -> String {
    fields(&headers).to_string()
}

/// Serves a router on loopback, for as long as the test runs.
async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}

async fn ask(address: SocketAddr, path: &str, token: Option<&str>) -> (StatusCode, String) {
    let mut request = Request::get(format!("http://{address}{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let client = super::hyper_server::client();
    let response = client
        .request(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_router_in_the_layers_is_protected_and_publishes_the_keys() {
    let router = Router::new().route("/orders", get(seen)).layer(layers());
    let address = serve(router).await;
    let token = signed(&json!({}));

    let (status, body) = ask(address, "/orders", Some(&token)).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        body.contains("x-jwt-assertion") && !body.contains("authorization"),
        "{body}"
    );
    assert_eq!(
        ask(address, "/orders", None).await.0,
        StatusCode::UNAUTHORIZED
    );
    // The router has no such route: the layer is around its fallback too.
    let (status, body) = ask(address, "/.wellknown/jwks", None).await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.starts_with("{\"keys\":["), "{body}");
    assert_eq!(
        ask(address, "/nothing", None).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        ask(address, "/nothing", Some(&token)).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_route_layer_protects_the_routes_before_it_and_no_others() {
    let keys = tests::keys::ring(tower_jwks::Algorithm::EdDSA);
    let router = Router::new()
        .route("/orders", get(seen))
        .route_layer(layers())
        .route("/public", get(seen))
        .route_service("/keys", JwksEndpoint::new(keys));
    let address = serve(router).await;
    let token = signed(&json!({}));
    assert_eq!(
        ask(address, "/orders", None).await.0,
        StatusCode::UNAUTHORIZED
    );
    assert!(
        ask(address, "/orders", Some(&token))
            .await
            .1
            .contains("x-jwt-assertion")
    );
    assert_eq!(ask(address, "/public", None).await.0, StatusCode::OK);
    assert_eq!(
        ask(address, "/nothing", None).await.0,
        StatusCode::NOT_FOUND
    );
    assert!(
        ask(address, "/keys", None)
            .await
            .1
            .starts_with("{\"keys\":[")
    );
}
