//! hyper by itself, HTTP/1.1 and HTTP/2.

use super::layers;
use axum::body::Body;
use http::{Request, StatusCode, Version};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use serde_json::json;
use std::net::SocketAddr;
use tests::upstream::{signed, upstream};
use tokio::net::TcpListener;
use tower::service_fn;

pub(super) fn client() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = layers().service(service_fn(upstream::<hyper::body::Incoming>));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_hyper_server_takes_the_stack_over_both_versions_of_http() {
    let address = serve().await;
    let http2 = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http();
    for (client, version) in [(client(), Version::HTTP_11), (http2, Version::HTTP_2)] {
        let get = |path: &str| Request::get(format!("http://{address}{path}"));
        let request = get("/orders")
            .header("authorization", format!("Bearer {}", signed(&json!({}))))
            .header("X-JWT-Assertion", "forged");
        let response = client
            .request(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(
            (response.status(), response.version()),
            (StatusCode::OK, version)
        );
        assert!(!response.headers().contains_key("x-jwt-assertion"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let seen: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let assertion = seen["headers"]["x-jwt-assertion"].as_array().unwrap();
        assert_eq!(assertion.len(), 1);
        assert_ne!(assertion[0], "forged");

        let response = client
            .request(get("/orders").body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let length = response.headers()["content-length"]
            .to_str()
            .unwrap()
            .to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len().to_string(), length);

        let head = Request::head(format!("http://{address}/.well-known/jwks.json"));
        let response = client
            .request(head.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_ne!(response.headers()["content-length"], "0");
    }
}
