//! The client side: connections to all the services behind, which are kept and used again.
//!
//! Those over plain http are of a [`lane`] for each service. Those over https, where HTTP/2 may be spoken,
//! are hyper-util's client's.

mod lane;
mod link;

use std::{
    collections::HashMap,
    error::Error,
    io,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use http::{Request, Response, Uri, uri::Authority};
use http_body::Body as _;
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::crypto::aws_lc_rs;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tower::{
    BoxError, ServiceBuilder,
    layer::util::{Identity, Stack},
    timeout::{TimeoutLayer, error::Elapsed},
    util::BoxCloneSyncService,
};

use self::lane::Lane;
pub(crate) use self::link::Linked;
use crate::{
    body::{Body, Passing, Progress},
    endpoint::Endpoint,
};

/// For the name, the connection and the TLS handshake together.
const CONNECT: Duration = Duration::from_secs(5);
/// For the head of the response, from the last piece of the request's body on.
const RESPONSE_HEAD: Duration = Duration::from_secs(60);

type Tcp = BoxCloneSyncService<Uri, TokioIo<TcpStream>, BoxError>;
type Tls = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// The ways to the services behind.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    tcp: Tcp,
    lanes: Arc<Mutex<HashMap<Authority, Weak<Lane>>>>,
    tls: Option<Client<Tls, Passing<Body>>>,
}

/// The way to one of them.
#[derive(Debug, Clone)]
pub(crate) struct Way(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Plain(Arc<Lane>),
    Tls(Box<Client<Tls, Passing<Body>>>),
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Not connected, or broken off.
    Unreachable(BoxError),
    /// Connected too slowly, or not at all in time.
    ConnectTimeout,
    /// Connected, but no response in time.
    ResponseTimeout,
}

impl Failure {
    fn of(error: BoxError) -> Self {
        if timed_out(&*error) {
            Self::ConnectTimeout
        } else {
            Self::Unreachable(error)
        }
    }
}

impl Upstream {
    /// For services over http alone.
    pub(crate) fn plain() -> Self {
        Self::over(BoxCloneSyncService::new(limited().service(connector())))
    }

    fn over(tcp: Tcp) -> Self {
        Self {
            tcp,
            lanes: Arc::default(),
            tls: None,
        }
    }

    /// For services over https as well.
    ///
    /// # Errors
    ///
    /// When the certificate authorities of the system cannot be read.
    pub(crate) fn with_tls(&self) -> io::Result<Self> {
        // The provider is given by value: the process's default one is nobody's to choose here.
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(aws_lc_rs::default_provider())?
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(connector());
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .build(BoxCloneSyncService::new(limited().service(https)));
        Ok(Self {
            tls: Some(client),
            ..self.clone()
        })
    }

    /// Whether it reaches services over https.
    pub(crate) const fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The way there. All that lead to the same service share their connections.
    pub(crate) fn to(&self, endpoint: &Endpoint) -> Result<Way, String> {
        if endpoint.is_https() {
            let client = self.tls.clone().ok_or("https is not reached")?;
            return Ok(Way(Kind::Tls(Box::new(client))));
        }
        let authority = endpoint.authority();
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(authority).and_then(Weak::upgrade) {
            return Ok(Way(Kind::Plain(lane)));
        }
        let lane = Lane::new(self.tcp.clone(), authority).map_err(|error| error.to_string())?;
        lanes.retain(|_, lane| lane.strong_count() > 0);
        lanes.insert(authority.clone(), Arc::downgrade(&lane));
        Ok(Way(Kind::Plain(lane)))
    }
}

impl Way {
    /// Sends a request as it is; redirects are an answer like any other.
    pub(crate) async fn send(
        &self,
        request: Request<Passing<Body>>,
    ) -> Result<Response<Linked>, Failure> {
        let progress = Progress::new(!request.body().is_end_stream());
        let request = request.map(|body| body.noting(progress.clone()));
        let client = match &self.0 {
            Kind::Plain(lane) => return lane.send(request, &progress).await,
            Kind::Tls(client) => client,
        };
        match within(RESPONSE_HEAD, &progress, client.request(request)).await {
            None => Err(Failure::ResponseTimeout),
            Some(Ok(response)) => Ok(response.map(Linked::alone)),
            Some(Err(error)) => Err(Failure::of(error.into())),
        }
    }
}

fn connector() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    tcp
}

fn limited() -> ServiceBuilder<Stack<TimeoutLayer, Identity>> {
    ServiceBuilder::new().timeout(CONNECT)
}

/// Waits as long as there is progress, and `limit` after the last of it.
async fn within<F: Future>(limit: Duration, progress: &Progress, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    loop {
        if let Ok(output) = timeout_at(progress.last() + limit, &mut future).await {
            return Some(output);
        }
        if progress.last() + limit <= Instant::now() {
            return None;
        }
    }
}

fn timed_out(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if error.is::<Elapsed>() || kind == Some(io::ErrorKind::TimedOut) {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
