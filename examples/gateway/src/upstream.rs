//! The client side: one pool of connections to all the services behind.

use std::{error::Error, io, time::Duration};

use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{
    client::legacy::{self, Client, connect::HttpConnector},
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

use crate::body::{Body, Passing, Progress};

/// For the name, the connection and the TLS handshake together.
const CONNECT: Duration = Duration::from_secs(5);
/// For the head of the response, from the last piece of the request's body on.
const RESPONSE_HEAD: Duration = Duration::from_secs(60);

type Connector = BoxCloneSyncService<Uri, MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>;

/// The services behind, over connections that are kept and used again.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    client: Client<Connector, Passing<Body>>,
    tls: bool,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Not connected, or broken off.
    Unreachable(legacy::Error),
    /// Connected too slowly, or not at all in time.
    ConnectTimeout,
    /// Connected, but no response in time.
    ResponseTimeout,
}

impl Upstream {
    /// For services over http alone.
    pub(crate) fn plain() -> Self {
        let http = limited()
            .map_response(MaybeHttpsStream::Http)
            .service(connector());
        Self::over(BoxCloneSyncService::new(http), false)
    }

    /// For services over https as well.
    ///
    /// # Errors
    ///
    /// When the certificate authorities of the system cannot be read.
    pub(crate) fn with_tls() -> io::Result<Self> {
        // The provider is given by value: the process's default one is nobody's to choose here.
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(aws_lc_rs::default_provider())?
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(connector());
        let https = limited().service(https);
        Ok(Self::over(BoxCloneSyncService::new(https), true))
    }

    /// Whether it reaches services over https.
    pub(crate) const fn has_tls(&self) -> bool {
        self.tls
    }

    fn over(connector: Connector, tls: bool) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { client, tls }
    }

    /// Sends a request as it is; redirects are an answer like any other.
    pub(crate) async fn send(
        &self,
        request: Request<Passing<Body>>,
    ) -> Result<Response<Incoming>, Failure> {
        let progress = Progress::new();
        let request = request.map(|body| body.noting(progress.clone()));
        match within(RESPONSE_HEAD, &progress, self.client.request(request)).await {
            None => Err(Failure::ResponseTimeout),
            Some(Ok(response)) => Ok(response),
            Some(Err(error)) if timed_out(&error) => Err(Failure::ConnectTimeout),
            Some(Err(error)) => Err(Failure::Unreachable(error)),
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

fn timed_out(error: &legacy::Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        if error.is::<Elapsed>() || kind == Some(io::ErrorKind::TimedOut) {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::pending};

    use bytes::Bytes;
    use http_body_util::{BodyExt, channel::Channel};
    use tokio::{net::TcpListener, time::sleep};

    use super::*;
    use crate::body::{self, Forbidden};

    async fn get(upstream: &Upstream, url: String) -> Failure {
        let body = Passing::new(body::full(""), Forbidden::default());
        upstream
            .send(Request::get(url).body(body).unwrap())
            .await
            .unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_takes_a_request_and_says_nothing_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let start = Instant::now();
        let failure = get(&Upstream::plain(), url).await;
        assert!(matches!(failure, Failure::ResponseTimeout), "{failure:?}");
        assert_eq!(start.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_cannot_be_connected_to_in_time_is_given_up() {
        let never = ServiceBuilder::new()
            .timeout(CONNECT)
            .service_fn(|_| pending::<Result<MaybeHttpsStream<TokioIo<TcpStream>>, BoxError>>());
        let start = Instant::now();
        let upstream = Upstream::over(BoxCloneSyncService::new(never), false);
        let failure = get(&upstream, "http://192.0.2.1/".to_owned()).await;
        assert!(matches!(failure, Failure::ConnectTimeout), "{failure:?}");
        assert_eq!(start.elapsed().as_secs(), 5);
    }

    #[tokio::test]
    async fn a_service_that_is_down_is_unreachable() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let failure = get(&Upstream::plain(), url).await;
        assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_for_a_response_starts_anew_with_each_piece_of_the_request() {
        let progress = Progress::new();
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
        let upload =
            Passing::new(body::boxed(pieces), Forbidden::default()).noting(progress.clone());
        let exchange = async {
            upload.collect().await.unwrap();
            pending::<()>().await;
        };
        assert_eq!(within(RESPONSE_HEAD, &progress, exchange).await, None);
        assert_eq!(start.elapsed().as_secs(), 3 * 50 + 60);
    }
}
