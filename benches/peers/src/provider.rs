//! An identity provider on loopback that can be told to misbehave.

use bytes::Bytes;
use futures_util::stream;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_TYPE, LOCATION},
};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket},
    task::{JoinHandle, JoinSet},
};

pub(crate) const HUGE: usize = 256 << 20;

/// What a request for the key set meets.
#[derive(Clone, Copy)]
pub(crate) enum Behavior {
    Normal,
    Slow(Duration),
    Hang,
    Error,
    Redirect,
    /// A valid key set, followed by white space, which JSON allows, up to [`HUGE`] bytes.
    Huge,
}

pub(crate) struct Provider {
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

struct Shared {
    url: String,
    behavior: Mutex<Behavior>,
    keys: Mutex<String>,
    fetches: AtomicUsize,
    answered: AtomicUsize,
    redirected: AtomicUsize,
    taken: AtomicUsize,
}

impl Provider {
    /// Serves `keys`, a JWK set.
    pub(crate) async fn start(keys: String) -> Self {
        let listener = listen().expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has one");
        let shared = Arc::new(Shared {
            url: format!("http://{address}"),
            behavior: Mutex::new(Behavior::Normal),
            keys: Mutex::new(keys),
            fetches: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            redirected: AtomicUsize::new(0),
            taken: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Self { shared, accepting }
    }

    /// The issuer.
    pub(crate) fn url(&self) -> &str {
        &self.shared.url
    }

    pub(crate) fn jwks_uri(&self) -> String {
        format!("{}/jwks", self.shared.url)
    }

    /// The key set as it is served now.
    pub(crate) fn keys(&self) -> String {
        self.shared.keys.lock().expect("no panic holds it").clone()
    }

    pub(crate) fn set_keys(&self, keys: String) {
        *self.shared.keys.lock().expect("no panic holds it") = keys;
    }

    pub(crate) fn set(&self, behavior: Behavior) {
        *self.shared.behavior.lock().expect("no panic holds it") = behavior;
    }

    /// Requests for the key set so far, answered or not.
    pub(crate) fn fetches(&self) -> usize {
        self.shared.fetches.load(Relaxed)
    }

    /// Those of them whose client was still there when the answer was ready.
    pub(crate) fn answered(&self) -> usize {
        self.shared.answered.load(Relaxed)
    }

    /// Requests at the place a redirect leads to.
    pub(crate) fn redirected(&self) -> usize {
        self.shared.redirected.load(Relaxed)
    }

    /// The most bytes one client took of [`Behavior::Huge`].
    pub(crate) fn taken(&self) -> usize {
        self.shared.taken.load(Relaxed)
    }

    /// Closes the port and every connection: from now on connecting is refused.
    pub(crate) async fn stop(&mut self) {
        self.accepting.abort();
        // Until the task has ended its socket is open.
        let _ = (&mut self.accepting).await;
    }
}

/// With a small buffer for sending, so that the bytes handed to the socket are about those that the
/// client has read.
fn listen() -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_send_buffer_size(64 << 10)?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    socket.listen(128)
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        connections.spawn(async move {
            let service = service_fn(|request| answer(shared.clone(), request));
            // A client that goes away is part of the game.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

type Body = BoxBody<Bytes, Infallible>;

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    Ok(match request.uri().path() {
        "/.well-known/openid-configuration" => {
            let url = &shared.url;
            response(
                StatusCode::OK,
                format!(r#"{{"issuer":"{url}","jwks_uri":"{url}/jwks"}}"#),
            )
        }
        "/jwks" => {
            shared.fetches.fetch_add(1, Relaxed);
            let answer = key_set(&shared).await;
            shared.answered.fetch_add(1, Relaxed);
            answer
        }
        "/moved" => {
            shared.redirected.fetch_add(1, Relaxed);
            good(&shared)
        }
        _ => response(StatusCode::NOT_FOUND, String::new()),
    })
}

async fn key_set(shared: &Arc<Shared>) -> Response<Body> {
    let behavior = *shared.behavior.lock().expect("no panic holds it");
    match behavior {
        Behavior::Normal => good(shared),
        Behavior::Slow(delay) => {
            tokio::time::sleep(delay).await;
            good(shared)
        }
        Behavior::Hang => pending().await,
        Behavior::Error => response(StatusCode::INTERNAL_SERVER_ERROR, "{}".to_owned()),
        Behavior::Redirect => {
            let mut response = response(StatusCode::FOUND, String::new());
            let headers = response.headers_mut();
            headers.insert(LOCATION, HeaderValue::from_static("/moved"));
            response
        }
        Behavior::Huge => json(StatusCode::OK, huge(shared.clone())),
    }
}

fn good(shared: &Shared) -> Response<Body> {
    let keys = shared.keys.lock().expect("no panic holds it").clone();
    response(StatusCode::OK, keys)
}

fn response(status: StatusCode, body: String) -> Response<Body> {
    json(status, Full::from(body).boxed())
}

fn json(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Chunked: no `Content-Length` warns the client.
fn huge(shared: Arc<Shared>) -> Body {
    let keys = shared.keys.lock().expect("no panic holds it").clone();
    let padding = Bytes::from(vec![b' '; 64 << 10]);
    let next = move |(sent, chunk): (usize, Bytes)| {
        let (shared, padding) = (shared.clone(), padding.clone());
        async move {
            if sent >= HUGE {
                return None;
            }
            let sent = sent + chunk.len();
            shared.taken.fetch_max(sent, Relaxed);
            Some((Ok(Frame::data(chunk)), (sent, padding)))
        }
    };
    BodyExt::boxed(StreamBody::new(stream::unfold(
        (0, Bytes::from(keys)),
        next,
    )))
}
