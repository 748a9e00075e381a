//! HTTP/2 by prior knowledge.

use super::Shared;
use crate::Fault;
use bytes::Bytes;
use http::{HeaderValue, Request, Uri, header::AUTHORIZATION};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{net::SocketAddr, sync::Arc};
use tokio::net::TcpStream;

/// Connections that the streams are spread over.
const CONNECTIONS: usize = 4;

/// One request at a time, on a connection with others.
#[derive(Debug)]
pub(crate) struct Stream(SendRequest<Empty<Bytes>>);

pub(super) async fn connect(address: SocketAddr, streams: usize) -> Result<Vec<Stream>, Fault> {
    let mut all = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        // It ends when the last stream is dropped; a fault is seen by the request.
        tokio::spawn(connection);
        all.extend((0..streams / CONNECTIONS).map(|_| Stream(sender.clone())));
    }
    Ok(all)
}

pub(super) async fn drive(mut stream: Stream, shared: Arc<Shared>) -> Result<Stream, Fault> {
    let uri: Uri = format!("http://api.example.com{}", shared.work.path).parse()?;
    while let Some(number) = shared.next() {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri.clone();
        if let Some(token) = shared.token(number) {
            let value = HeaderValue::try_from(format!("Bearer {token}"))?;
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        stream.0.ready().await?;
        let response = stream.0.send_request(request).await?;
        shared.check(response.status().as_u16())?;
        response.into_body().collect().await?;
    }
    Ok(stream)
}
