//! An identity provider that publishes keys over HTTP, and that can be down.

use std::{
    future::ready,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};

use crate::idp::Idp;

/// What the tests hold of a running provider.
#[derive(Debug, Clone)]
pub(crate) struct Provider(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    jwks: Mutex<String>,
    /// While it is, connections are dropped: its port stays its own.
    down: AtomicBool,
}

impl Provider {
    /// One that publishes the key of `idp`.
    pub(crate) async fn start(idp: &Idp) -> Self {
        let (provider, listener) = Self::bind(idp).await;
        let inner = Arc::clone(&provider.0);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, Arc::clone(&inner)));
            }
        });
        provider
    }

    /// One whose connections the test accepts.
    pub(crate) async fn bind(idp: &Idp) -> (Self, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = Inner {
            address: listener.local_addr().unwrap(),
            jwks: Mutex::new(idp.jwks()),
            down: AtomicBool::new(false),
        };
        (Self(Arc::new(inner)), listener)
    }

    pub(crate) async fn serve<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        serve(stream, Arc::clone(&self.0)).await;
    }

    /// Its name, when it is discovered.
    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// Where its keys are.
    pub(crate) fn url(&self) -> String {
        format!("{}/keys", self.issuer())
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.address.port()
    }

    /// Publishes the key of `idp`, and no other.
    pub(crate) fn publish(&self, idp: &Idp) {
        *self.0.jwks.lock().unwrap() = idp.jwks();
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }
}

async fn serve<S>(stream: S, inner: Arc<Inner>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(|request| ready(inner.answer(&request)));
    // An error drops the connection, one that was kept from better times too.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Inner {
    fn answer(&self, request: &Request<Incoming>) -> Result<Response<Full<bytes::Bytes>>, &str> {
        if self.down.load(Ordering::SeqCst) {
            return Err("down");
        }
        let issuer = format!("http://{}", self.address);
        let json = match request.uri().path() {
            "/keys" => self.jwks.lock().unwrap().clone(),
            "/.well-known/openid-configuration" => {
                json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") }).to_string()
            }
            _ => {
                let mut response = Response::default();
                *response.status_mut() = http::StatusCode::NOT_FOUND;
                return Ok(response);
            }
        };
        Ok(Response::builder()
            .header("content-type", "application/json")
            .body(Full::from(json))
            .unwrap())
    }
}
