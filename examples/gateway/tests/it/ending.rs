//! The gateway ends when it is told to, in order.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty, Full};
use tokio::net::TcpStream;

use crate::gateway::{fetch, serving};

const HELD: &str = "[{target: '/held', verb: GET, secured: false}]";

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_gateway_ends() {
    let (mut gateway, backend, _) = serving(HELD).await;
    let request = Request::get(gateway.url("/orders/1.0.0/held"))
        .body(Full::default())
        .unwrap();
    let answer = tokio::spawn(fetch(request));
    backend.arrived().await;

    gateway.signal("-TERM");
    assert!(gateway.read_line().starts_with("ending"));
    // The line is said before the socket is closed, so the first connections may still get through.
    while TcpStream::connect(gateway.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    backend.release();
    assert_eq!(answer.await.unwrap().body, "held");
    assert_eq!(gateway.ended().code(), Some(0));
}

#[tokio::test]
async fn a_request_over_http2_is_answered_too() {
    let (mut gateway, backend, _) = serving(HELD).await;
    let mut http2 = gateway.http2().await;
    let request = Request::get(gateway.url("/orders/1.0.0/held"))
        .body(Empty::<Bytes>::new())
        .unwrap();
    let answer = tokio::spawn(http2.send_request(request));
    backend.arrived().await;
    gateway.signal("-TERM");
    assert!(gateway.read_line().starts_with("ending"));
    backend.release();
    let body = answer
        .await
        .unwrap()
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    assert_eq!(body, "held");
    assert_eq!(gateway.ended().code(), Some(0));
}

#[tokio::test]
async fn an_idle_gateway_ends_at_once_by_either_signal() {
    for signal in ["-TERM", "-INT"] {
        let (gateway, ..) = serving(HELD).await;
        // A connection that is kept open, with nothing in flight.
        let _idle = TcpStream::connect(gateway.address).await.unwrap();
        gateway.signal(signal);
        assert_eq!(gateway.ended().code(), Some(0), "{signal}");
    }
}
