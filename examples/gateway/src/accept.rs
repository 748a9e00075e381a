//! One port: HTTP/1.1 and HTTP/2, and an orderly end.

use std::{fmt::Display, io, net::SocketAddr, time::Duration};

use hyper::{Request, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulConnection, GracefulShutdown},
    },
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tower::ServiceBuilder;

use crate::{body, forwarded::Peer, gateway::GatewayService};

/// Serves until `end` completes, then lets requests in flight finish, for as long as `grace`.
pub(crate) async fn accept(
    listener: TcpListener,
    service: GatewayService,
    end: impl Future<Output = ()>,
    grace: Duration,
) {
    let mut server = auto::Builder::new(TokioExecutor::new());
    // With a timer, hyper limits how long the head of a request may take to arrive.
    server.http1().timer(TokioTimer::new());
    server.http2().timer(TokioTimer::new());
    let connections = GracefulShutdown::new();

    let mut end = std::pin::pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut end => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection =
                    connections.watch(connection(&server, stream, peer, service.clone()));
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%peer, %error, "a connection broke off");
                    }
                });
            }
            Err(error) => accept_failed(&error).await,
        }
    }
    // From here on nobody can connect; who is connected is told to send no more requests.
    drop(listener);
    if timeout(grace, connections.shutdown()).await.is_err() {
        tracing::warn!(
            "requests in flight have been cut off after {} seconds",
            grace.as_secs()
        );
    }
}

fn connection(
    server: &auto::Builder<TokioExecutor>,
    stream: TcpStream,
    peer: SocketAddr,
    service: GatewayService,
) -> impl GracefulConnection<Error: Display + Send> + Send + 'static {
    let _ = stream.set_nodelay(true);
    let service = ServiceBuilder::new()
        .map_request(move |request: Request<Incoming>| {
            let mut request = request.map(body::boxed);
            request.extensions_mut().insert(Peer(peer));
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
