//! Sockets: where the three services listen, and the client that calls them.

use axum::{Router, body::Body};
use http::{Request, Response, header::AUTHORIZATION, request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
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

/// Listens at this port of loopback, or at a free one if it is taken; the socket and its URL.
pub(crate) async fn listen(port: u16) -> io::Result<(TcpListener, String)> {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?
        }
        listener => listener?,
    };
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}

/// Serves as long as the process lives.
pub(crate) fn serve(listener: TcpListener, app: Router) {
    tokio::spawn(async move { axum::serve(listener, app).await });
}

#[derive(Clone)]
pub(crate) struct Client(legacy::Client<HttpConnector, Body>);

impl Client {
    pub(crate) fn new() -> Self {
        Self(legacy::Client::builder(TokioExecutor::new()).build_http())
    }

    pub(crate) async fn get_with(&self, token: &str, url: &str) -> Result<String, BoxError> {
        self.fetch(Request::get(url).header(AUTHORIZATION, format!("Bearer {token}")))
            .await
    }

    pub(crate) async fn post(&self, url: &str) -> Result<String, BoxError> {
        self.fetch(Request::post(url)).await
    }

    /// The body of the answer, if its status is a success.
    async fn fetch(&self, request: request::Builder) -> Result<String, BoxError> {
        let request = request.body(Body::empty())?;
        let url = request.uri().clone();
        let response = self
            .send(request)
            .await
            .map_err(|error| format!("{url}: {}", deepest(&error)))?;
        if !response.status().is_success() {
            return Err(format!("{url}: {}", response.status()).into());
        }
        let body = response.into_body().collect().await?.to_bytes();
        Ok(String::from_utf8(body.into())?)
    }

    pub(crate) async fn send(
        &self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, legacy::Error> {
        self.0.request(request).await
    }
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
