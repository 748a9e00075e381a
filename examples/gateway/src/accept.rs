//! One port: HTTP/1.1 and HTTP/2, and an orderly end.

use std::{
    convert::Infallible, fmt::Display, future, io, net::SocketAddr, pin::pin, sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body::Body as HttpBody;
use hyper::{Request, Response, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulConnection},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use tower::{BoxError, Service, ServiceBuilder};

use crate::{body::Body, forwarded::Peer};

/// What the connections of a port may use up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// At a time; the next ones wait.
    connections: usize,
    /// How long one may send requests, or nothing; then another gets its place.
    age: Option<Duration>,
}

impl Limits {
    pub(crate) const NONE: Self = Self {
        connections: Semaphore::MAX_PERMITS,
        age: None,
    };

    /// For a few probes, and people.
    pub(crate) const ADMIN: Self = Self {
        connections: 64,
        age: Some(Duration::from_secs(10)),
    };
}

/// Serves until `end` completes, then lets requests in flight finish, for as long as `grace`.
pub(crate) async fn accept<S, B>(
    listener: TcpListener,
    service: S,
    limits: Limits,
    end: impl Future<Output = ()>,
    grace: Duration,
) where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let mut server = auto::Builder::new(TokioExecutor::new());
    // With a timer, hyper limits how long the head of a request may take to arrive.
    server.http1().timer(TokioTimer::new());
    server.http2().timer(TokioTimer::new());
    let places = Arc::new(Semaphore::new(limits.connections));
    // Each connection has a receiver for as long as it lasts.
    let (tell, ending) = watch::channel(());

    let mut end = pin!(end);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = &mut end => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(&server, stream, peer, service.clone());
                let ending = ending.clone();
                tokio::spawn(async move {
                    if let Err(error) = until_told(connection, ending, limits.age).await {
                        tracing::debug!(%peer, %error, "a connection broke off");
                    }
                    drop(place);
                });
            }
            Err(error) => accept_failed(&error).await,
        }
    }
    // From here on nobody can connect; who is connected is told to send no more requests.
    drop((listener, ending));
    tell.send_replace(());
    if timeout(grace, tell.closed()).await.is_err() {
        tracing::warn!(
            "requests in flight have been cut off after {} seconds",
            grace.as_secs()
        );
    }
}

/// The connection, which is told to send no more requests at the end, or at this age.
async fn until_told<C: GracefulConnection>(
    connection: C,
    mut ending: watch::Receiver<()>,
    age: Option<Duration>,
) -> C::Output {
    let mut connection = pin!(connection);
    let old = async {
        match age {
            Some(age) => sleep(age).await,
            None => future::pending().await,
        }
    };
    tokio::select! {
        outcome = connection.as_mut() => return outcome,
        _ = ending.changed() => {}
        () = old => {}
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

fn connection<S, B>(
    server: &auto::Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
) -> impl GracefulConnection<Error: Display + Send> + Send + use<S, B>
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + 'static,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let _ = stream.set_nodelay(true);
    let peer = Peer::new(peer);
    let service = ServiceBuilder::new()
        .map_request(move |request: Request<Incoming>| {
            let mut request = request.map(|body| Body::Incoming { body });
            request.extensions_mut().insert(peer.clone());
            request
        })
        .service(service);
    server
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
        .into_owned()
}

async fn accept_failed(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    ) {
        // Gone before it was taken up.
        return;
    }
    // Out of file descriptors, most likely: connections that end will free some.
    tracing::error!(%error, "cannot accept connections");
    sleep(Duration::from_secs(1)).await;
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::oneshot,
        time::Instant,
    };
    use tower::{service_fn, util::BoxCloneSyncService};

    use super::*;
    use crate::body;

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_does_not_keep_a_place_for_ever() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = BoxCloneSyncService::new(service_fn(async |_: Request<Body>| {
            Ok::<_, Infallible>(Response::new(body::full("answered")))
        }));
        let limits = Limits {
            connections: 1,
            ..Limits::ADMIN
        };
        let (end, ended) = oneshot::channel::<()>();
        let serving = tokio::spawn(accept(
            listener,
            service,
            limits,
            async { drop(ended.await) },
            Duration::from_secs(1),
        ));

        let start = Instant::now();
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut next = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        next.write_all(request).await.unwrap();
        let mut answer = String::new();
        next.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("answered"), "{answer}");
        assert_eq!(start.elapsed().as_secs(), 10);
        assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
        drop(end);
        serving.await.unwrap();
    }
}
