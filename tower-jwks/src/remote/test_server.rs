//! A server that the tests of the HTTP clients share, and what they ask of it.

// Clippy takes only `#[test]` functions for tests, not what they call.
#![allow(clippy::unwrap_used)]

use crate::BytesBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::BodyExt;
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    thread,
};
use tower_service::Service;

/// A server on loopback that gives each connection this response, and then ends it.
pub(super) fn serve(response: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = BufReader::new(connection.unwrap());
            let mut line = String::new();
            while connection.read_line(&mut line).unwrap() > "\r\n".len() {
                line.clear();
            }
            connection.get_mut().write_all(response.as_bytes()).unwrap();
        }
    });
    address
}

pub(super) async fn fetch<S, B>(client: &S, url: String) -> Result<Response<Bytes>, S::Error>
where
    S: Service<Request<BytesBody>, Response = Response<B>> + Clone,
    B: Body<Data = Bytes, Error = S::Error>,
{
    let request = Request::get(url).body(BytesBody::default()).unwrap();
    let (head, body) = client.clone().call(request).await?.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}
