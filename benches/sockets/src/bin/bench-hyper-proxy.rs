//! A reverse proxy that does nothing else, to hold the gateway against: hyper's server and client as they come.
//!
//! ```text
//! bench-hyper-proxy 127.0.0.1:9000    # the service behind; prints where it listens
//! ```

use http::{Request, Response, Uri, uri};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use std::{env, error, sync::Arc};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn error::Error>> {
    let upstream = env::args()
        .nth(1)
        .ok_or("the address of the service behind is missing")?;
    let upstream: Arc<uri::Authority> = Arc::new(upstream.parse()?);
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Incoming> = Client::builder(TokioExecutor::new()).build(connector);
    let server = auto::Builder::new(TokioExecutor::new());

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (server, client, upstream) = (server.clone(), client.clone(), Arc::clone(&upstream));
        tokio::spawn(async move {
            let service =
                service_fn(|request| pass(client.clone(), Arc::clone(&upstream), request));
            // A connection that breaks off is the caller's.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn pass(
    client: Client<HttpConnector, Incoming>,
    upstream: Arc<uri::Authority>,
    request: Request<Incoming>,
) -> Result<Response<Incoming>, Error> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().cloned();
    let mut target = uri::Parts::default();
    target.scheme = Some(uri::Scheme::HTTP);
    target.authority = Some((*upstream).clone());
    target.path_and_query = path;
    // An asterisk (`OPTIONS *`) is the only path that does not fit, and is not asked for here.
    parts.uri = Uri::from_parts(target).unwrap_or_default();
    parts.version = http::Version::HTTP_11;
    parts.headers.remove(http::header::HOST);
    client.request(Request::from_parts(parts, body)).await
}
