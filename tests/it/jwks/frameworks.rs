//! The keys in an axum router, and over a real socket.

use super::{Answer, WELL_KNOWN, WSO2, get};
use axum::{Router, routing};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::Empty;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tests::{body, echo::Echo, keys::ring};
use tokio::net::{TcpListener, TcpStream};
use tower::Layer;
use tower_jwks::{Algorithm, JwkSet, JwksEndpoint, JwksLayer, KeyRing};

fn router(keys: KeyRing) -> Router {
    Router::new()
        .route("/orders", routing::get(async || "an order"))
        .fallback(async || (StatusCode::NOT_FOUND, "nothing here"))
        .layer(JwksLayer::new(keys))
}

#[tokio::test]
async fn a_layer_around_an_axum_router_answers_paths_that_it_has_no_route_for() {
    let ring = ring(Algorithm::ES256);
    for (path, status, body) in [
        (WSO2, StatusCode::OK, ring.published().unwrap().json()),
        (WELL_KNOWN, StatusCode::OK, ring.published().unwrap().json()),
        ("/orders", StatusCode::OK, "an order"),
        ("/other", StatusCode::NOT_FOUND, "nothing here"),
    ] {
        let router = router(ring.clone());
        let router = tower::ServiceExt::map_request(router, |request: Request<()>| {
            request.map(|()| axum::body::Body::empty())
        });
        let answer = get(router, path, &[]).await;
        assert_eq!((answer.status, &*answer.body), (status, body.as_bytes()));
    }
}

#[tokio::test]
async fn an_endpoint_is_a_route_of_an_axum_router() {
    let ring = ring(Algorithm::ES256);
    let router = Router::new()
        .route("/orders", routing::get(async || "an order"))
        .route_service("/keys", JwksEndpoint::new(ring.clone()));
    let router = tower::ServiceExt::map_request(router, |request: Request<()>| {
        request.map(|()| axum::body::Body::empty())
    });
    let answer = get(router.clone(), "/keys", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, ring.published().unwrap().json());
    let answer = get(router, "/orders", &[]).await;
    assert_eq!(answer.body, "an order");
}

/// One connection of a client to a server that has the keys in front of an echo.
async fn connect(keys: KeyRing) -> hyper::client::conn::http1::SendRequest<Empty<Bytes>> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = TowerToHyperService::new(JwksLayer::new(keys).layer(Echo::new()));
        let server = hyper::server::conn::http1::Builder::new();
        server.serve_connection(TokioIo::new(stream), service).await
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let client = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (sender, connection) = client.await.unwrap();
    tokio::spawn(connection);
    sender
}

#[tokio::test]
async fn a_bare_hyper_server_hands_the_keys_out_over_a_socket() {
    let ring = ring(Algorithm::ES256);
    let mut client = connect(ring.clone()).await;
    let mut send = async |method: Method, path: &str, tag: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "gateway.example.com")
            .header("if-none-match", tag)
            .body(Empty::new())
            .unwrap();
        client.ready().await.unwrap();
        let response = client.send_request(request).await.unwrap();
        let (head, body) = response.into_parts();
        Answer {
            status: head.status,
            headers: head.headers,
            body: body::read(body).await,
        }
    };

    let full = send(Method::GET, WSO2, "\"other\"").await;
    assert_eq!(full.status, StatusCode::OK);
    assert_eq!(full.body, ring.published().unwrap().json());
    assert_eq!(full.field("content-length"), full.body.len().to_string());
    assert_eq!(full.field("transfer-encoding"), "");
    assert_eq!(JwkSet::parse(&full.body).unwrap().keys().len(), 1);

    let known = send(Method::GET, WELL_KNOWN, full.field("etag")).await;
    assert_eq!(
        (known.status, &*known.body),
        (StatusCode::NOT_MODIFIED, &b""[..])
    );

    // On the wire too: the length of what GET would give, and not a byte of it.
    let head = send(Method::HEAD, WSO2, "\"other\"").await;
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.field("content-length"), full.field("content-length"));
    assert_eq!(head.body, "");

    let options = send(Method::OPTIONS, WSO2, "\"other\"").await;
    assert_eq!(options.status, StatusCode::NO_CONTENT);
    let post = send(Method::POST, WSO2, "\"other\"").await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.field("content-length"), "0");

    let other = send(Method::GET, "/orders", "\"theirs\"").await;
    assert_eq!(other.json()["if-none-match"][0], "\"theirs\"");
}
