//! tonic: a unary and a streaming method behind the stack.

use super::layers;
use serde_json::json;
use std::net::SocketAddr;
use tests::upstream::signed;
use tokio::net::TcpListener;
use tonic::{
    Code, Request,
    transport::{Channel, Endpoint, Server, server::TcpIncoming},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

/// tonic's own health service has one method of each kind.
async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_, health) = tonic_health::server::health_reporter();
    let server = Server::builder().layer(layers()).add_service(health);
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    address
}

async fn client(address: SocketAddr) -> HealthClient<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    HealthClient::new(endpoint.connect().await.unwrap())
}

fn request(token: Option<&str>) -> Request<HealthCheckRequest> {
    let mut request = Request::new(HealthCheckRequest::default());
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}

#[tokio::test]
async fn a_unary_method_is_called_with_a_good_token_only() {
    let mut client = client(serve().await).await;
    let response = client
        .check(request(Some(&signed(&json!({})))))
        .await
        .unwrap();
    assert_eq!(response.into_inner().status, 1);
    for token in [
        None,
        Some("bad"),
        Some(signed(&json!({"aud": "others"})).as_str()),
    ] {
        let status = client.check(request(token)).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        assert!(!status.message().is_empty());
    }
}

#[tokio::test]
async fn a_streaming_method_streams_with_a_good_token_and_fails_at_once_without() {
    let mut client = client(serve().await).await;
    let token = signed(&json!({}));
    let mut stream = client
        .watch(request(Some(&token)))
        .await
        .unwrap()
        .into_inner();
    let first = stream.message().await.unwrap().unwrap();
    assert_eq!(first.status, 1);
    let status = client.watch(request(None)).await.unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}
