//! Bodies go through piece by piece, in both directions at once.

use std::convert::Infallible;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, channel::Channel};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpStream;

use crate::gateway::serving;

const ECHO: &str = "[{target: '/stream', verb: POST, secured: false}]";
/// More than any buffer on the way holds.
const PIECE: usize = 1 << 20;

/// Reads as much as was sent, before more is sent.
async fn read_piece(body: &mut Incoming, expected: u8) {
    let mut left = PIECE;
    while left > 0 {
        let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(data.iter().all(|byte| *byte == expected));
        left = left.checked_sub(data.len()).unwrap();
    }
}

#[tokio::test]
async fn each_piece_comes_back_before_the_next_is_sent() {
    let (gateway, ..) = serving(ECHO).await;
    let stream = TokioIo::new(TcpStream::connect(gateway.address).await.unwrap());
    let (mut http1, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    let request = Request::post("/orders/1.0.0/stream")
        .header("host", "a")
        .body(body)
        .unwrap();
    let mut response = http1.send_request(request).await.unwrap();
    for number in 0..8 {
        sender.send_data(vec![number; PIECE].into()).await.unwrap();
        read_piece(response.body_mut(), number).await;
    }
    drop(sender);
    assert!(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .is_empty()
    );
}

#[tokio::test]
async fn http2_streams_as_well() {
    let (gateway, ..) = serving(ECHO).await;
    let mut http2 = gateway.http2().await;
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    let request = Request::post(gateway.url("/orders/1.0.0/stream"))
        .body(body)
        .unwrap();
    let mut response = http2.send_request(request).await.unwrap();
    for number in 0..8 {
        // The piece is larger than the window of a stream, so it has to be read while it is sent.
        let sending = sender.send_data(vec![number; PIECE].into());
        let (sent, ()) = tokio::join!(sending, read_piece(response.body_mut(), number));
        sent.unwrap();
    }
    drop(sender);
    assert!(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .is_empty()
    );
}

#[tokio::test]
async fn a_client_that_breaks_off_does_not_disturb_the_others() {
    let (gateway, ..) = serving(ECHO).await;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
    let request = Request::post(gateway.url("/orders/1.0.0/stream"))
        .body(body)
        .unwrap();
    let mut response = client.request(request).await.unwrap();
    sender.send_data(vec![0; PIECE].into()).await.unwrap();
    read_piece(response.body_mut(), 0).await;
    sender.abort(std::io::Error::other("broken off"));
    // Not an end that looks regular.
    assert!(
        response
            .body_mut()
            .frame()
            .await
            .is_none_or(|frame| frame.is_err())
    );
    assert_eq!(
        gateway
            .send("POST", "/orders/1.0.0/stream", &[], "still there")
            .await
            .body,
        "still there"
    );
}
