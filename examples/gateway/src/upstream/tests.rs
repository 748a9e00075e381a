//! Connections to a service that does what services do to them.

use std::{convert::Infallible, future::pending};

use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, channel::Channel};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    time::sleep,
};

use super::*;
use crate::body::{self, Forbidden};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer";
const CHUNKED: &[u8] =
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n0\r\n\r\n";

async fn listening() -> (TcpListener, Way) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let way = way(&listener);
    (listener, way)
}

fn way(listener: &TcpListener) -> Way {
    let url = format!("http://{}", listener.local_addr().unwrap());
    let endpoint = Endpoint::parse(&url).unwrap();
    Upstream::plain().to(&endpoint).unwrap()
}

fn request(body: Body) -> Request<Passing<Body>> {
    Request::new(Passing::new(body, Forbidden::default()))
}

/// Reads up to what ends with this.
async fn read_to(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{read:?}");
    }
    read
}

async fn get(way: &Way) -> Bytes {
    let response = way.send(request(body::full(""))).await.unwrap();
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn a_connection_is_used_again() {
    for answer in [ANSWER, CHUNKED] {
        let (listener, way) = listening().await;
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            for _ in 0..3 {
                let head = read_to(&mut stream, b"\r\n\r\n").await;
                assert!(head.starts_with(b"GET / HTTP/1.1\r\n"), "{head:?}");
                stream.write_all(answer).await.unwrap();
            }
        });
        for _ in 0..3 {
            assert_eq!(get(&way).await, "answer");
        }
        serving.await.unwrap();
    }
}

#[tokio::test]
async fn a_request_is_sent_anew_when_its_connection_was_closed_before() {
    let (listener, way) = listening().await;
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            read_to(&mut stream, b"\r\n\r\n").await;
            stream.write_all(ANSWER).await.unwrap();
        }
    });
    for _ in 0..5 {
        assert_eq!(get(&way).await, "answer");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_request_is_not_sent_anew_when_the_service_may_have_seen_it() {
    let (listener, way) = listening().await;
    let (seen, mut all) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_to(&mut stream, b"\r\n\r\n").await;
        stream.write_all(ANSWER).await.unwrap();
        read_to(&mut stream, b"\r\n\r\n").await;
        drop(stream);
        let _ = listener.accept().await;
        seen.send(()).unwrap();
    });
    assert_eq!(get(&way).await, "answer");
    let failure = way.send(request(body::full(""))).await.unwrap_err();
    assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
    assert!(all.try_recv().is_err());
}

#[tokio::test]
async fn an_upload_goes_on_after_the_whole_response() {
    let (listener, way) = listening().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_to(&mut stream, b"\r\n\r\n").await;
        stream.write_all(ANSWER).await.unwrap();
        read_to(&mut stream, b"\r\n0\r\n\r\n").await;
        // And the connection is used again.
        read_to(&mut stream, b"\r\n\r\n").await;
        stream.write_all(ANSWER).await.unwrap();
    });
    let (mut sender, pieces) = Channel::<Bytes, Infallible>::new(1);
    let mut upload = request(body::boxed(pieces));
    *upload.method_mut() = Method::POST;
    let response = way.send(upload).await.unwrap();
    let answer = response.into_body().collect().await.unwrap();
    assert_eq!(answer.to_bytes(), "answer");
    for _ in 0..10 {
        let piece = Bytes::from_static(&[b'x'; 100_000]);
        sender.send_data(piece).await.unwrap();
    }
    drop(sender);
    sleep(Duration::from_millis(100)).await;
    assert_eq!(get(&way).await, "answer");
    serving.await.unwrap();
}

#[tokio::test]
async fn a_response_that_nobody_reads_to_the_end_ends_its_connection() {
    let (listener, way) = listening().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_to(&mut stream, b"\r\n\r\n").await;
        stream.write_all(&ANSWER[..ANSWER.len() - 1]).await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap_or(0), 0);
    });
    let response = way.send(request(body::full(""))).await.unwrap();
    drop(response);
    serving.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_nobody_uses_is_closed() {
    let (listener, way) = listening().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_to(&mut stream, b"\r\n\r\n").await;
        stream.write_all(ANSWER).await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    });
    let start = Instant::now();
    assert_eq!(get(&way).await, "answer");
    serving.await.unwrap();
    let seconds = start.elapsed().as_secs();
    assert!((90..=100).contains(&seconds), "{seconds}");
}

async fn failed(upstream: &Upstream, url: String) -> Failure {
    let way = upstream.to(&Endpoint::parse(&url).unwrap()).unwrap();
    way.send(request(body::full(""))).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_a_request_and_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let start = Instant::now();
    let failure = failed(&Upstream::plain(), url).await;
    assert!(matches!(failure, Failure::ResponseTimeout), "{failure:?}");
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_cannot_be_connected_to_in_time_is_given_up() {
    let never = ServiceBuilder::new()
        .timeout(CONNECT)
        .service_fn(|_| pending::<Result<TokioIo<TcpStream>, BoxError>>());
    let start = Instant::now();
    let upstream = Upstream::over(BoxCloneSyncService::new(never));
    let failure = failed(&upstream, "http://192.0.2.1/".to_owned()).await;
    assert!(matches!(failure, Failure::ConnectTimeout), "{failure:?}");
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_service_that_is_down_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let failure = failed(&Upstream::plain(), url).await;
    assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
}

#[tokio::test(start_paused = true)]
async fn the_time_for_a_response_starts_anew_with_each_piece_of_the_request() {
    let progress = Progress::new(true);
    let start = Instant::now();
    let (mut sender, pieces) = Channel::<Bytes, Infallible>::new(1);
    tokio::spawn(async move {
        for _ in 0..3 {
            sleep(Duration::from_secs(50)).await;
            sender
                .send_data(Bytes::from_static(b"piece"))
                .await
                .unwrap();
        }
    });
    let upload = Passing::new(body::boxed(pieces), Forbidden::default()).noting(progress.clone());
    let exchange = async {
        upload.collect().await.unwrap();
        pending::<()>().await;
    };
    assert_eq!(within(RESPONSE_HEAD, &progress, exchange).await, None);
    assert_eq!(start.elapsed().as_secs(), 3 * 50 + 60);
}
