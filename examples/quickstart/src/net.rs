//! Sockets: where the three services listen, and the client that calls them.

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{Request, header::AUTHORIZATION};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{
    error::Error,
    io::{self, Write},
    net::Ipv4Addr,
};
use tokio::net::TcpListener;
use tower::BoxError;

/// A loopback socket, and its URL.
pub(crate) struct Site {
    listener: TcpListener,
    url: String,
}

impl Site {
    /// Listens at this port, or at a free one if it is taken.
    pub(crate) async fn open(port: u16) -> io::Result<Self> {
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?
            }
            listener => listener?,
        };
        let url = format!("http://{}", listener.local_addr()?);
        Ok(Self { listener, url })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Serves as long as the process lives.
    pub(crate) fn serve(self, app: Router) {
        tokio::spawn(async move { axum::serve(self.listener, app).await });
    }
}

pub(crate) type Client = legacy::Client<HttpConnector, Body>;

pub(crate) fn client() -> Client {
    legacy::Client::builder(TokioExecutor::new()).build_http()
}

/// What `url` answers: the body, if the status is a success.
pub(crate) async fn send(
    client: &Client,
    method: &str,
    url: &str,
    token: Option<&str>,
) -> Result<String, BoxError> {
    let mut request = Request::builder().method(method).uri(url);
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = client
        .request(request.body(Body::empty())?)
        .await
        .map_err(|error| format!("{method} {url}: {}", deepest(&error)))?;
    let status = response.status();
    if !status.is_success() {
        return Err(format!("{method} {url}: {status}").into());
    }
    let body: Bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(body.into())?)
}

/// The cause that says something: a client's own error is no more than "client error".
fn deepest<'a>(error: &'a (dyn Error + 'static)) -> &'a dyn Error {
    error.source().map_or(error, deepest)
}

/// Prints, without a care for whether somebody still reads: `quickstart | head` is no failure.
pub(crate) fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
    let _ = io::stdout().flush();
}
