//! A service behind the gateway that shows what it sees.

use std::{convert::Infallible, future::ready, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Notify,
};

type ResponseBody = BoxBody<Bytes, hyper::Error>;

/// What the tests hold of a running backend.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    shared: Shared,
}

#[derive(Debug, Clone, Default)]
struct Shared {
    /// A request to `/base/held` or `/base/seen-late` has arrived.
    arrived: Arc<Notify>,
    /// It may be answered.
    released: Arc<Notify>,
}

impl Backend {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let backend = Self {
            address: listener.local_addr().unwrap(),
            shared: Shared::default(),
        };
        let shared = backend.shared.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        backend
    }

    pub(crate) async fn arrived(&self) {
        self.shared.arrived.notified().await;
    }

    pub(crate) fn release(&self) {
        self.shared.released.notify_one();
    }
}

/// Serves one connection that has been accepted, in whichever version of HTTP it speaks.
pub(crate) async fn serve_connection<S>(stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    serve(stream, Shared::default()).await;
}

async fn serve<S>(stream: S, shared: Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(request, shared.clone()));
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    shared: Shared,
) -> Result<Response<ResponseBody>, Infallible> {
    Ok(match request.uri().path() {
        "/base/stream" => Response::new(request.into_body().boxed()),
        "/base/leak" => leak(),
        "/base/moved" => Response::builder()
            .status(302)
            .header("location", "http://127.0.0.1:1/elsewhere")
            .body(full(Bytes::new()))
            .unwrap(),
        "/base/held" => {
            shared.arrived.notify_one();
            shared.released.notified().await;
            Response::new(full("held".into()))
        }
        "/base/seen-late" => {
            shared.arrived.notify_one();
            shared.released.notified().await;
            show(request).await
        }
        _ => show(request).await,
    })
}

/// What has arrived; the response has the fields that `Answer-With` gives it.
async fn show(request: Request<Incoming>) -> Response<ResponseBody> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().map(fields);
    let seen = json!({
        "method": parts.method.as_str(),
        "target": parts.uri.path_and_query().unwrap().as_str(),
        "version": format!("{:?}", parts.version),
        "authority": parts.uri.authority().map(|authority| authority.as_str()),
        "headers": fields(&parts.headers),
        "trailers": trailers,
        "body": String::from_utf8_lossy(&body.to_bytes()),
    });
    let mut response = Response::builder().header("content-type", "application/json");
    for field in parts.headers.get_all("answer-with") {
        let (name, value) = field.to_str().unwrap().split_once(": ").unwrap();
        response = response.header(name, value);
    }
    response.body(full(seen.to_string().into())).unwrap()
}

/// A response with what must not reach the client.
fn leak() -> Response<ResponseBody> {
    let trailers = [("x-jwt-assertion", "leaked"), ("x-checksum", "kept")];
    let trailers = trailers.map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });
    let body = Full::new(Bytes::from_static(b"data"))
        .with_trailers(ready(Some(Ok(HeaderMap::from_iter(trailers)))));
    Response::builder()
        .header("X-JWT-Assertion", "leaked")
        .header("x_jwt_assertion", "leaked")
        .header("proxy-authenticate", "leaked")
        .header("x-kept", "kept")
        .body(body.map_err(|never| match never {}).boxed())
        .unwrap()
}

fn full(bytes: Bytes) -> ResponseBody {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

/// The values of each field, by its name.
fn fields(headers: &HeaderMap) -> Value {
    let names = headers.keys().map(|name| {
        let values = headers
            .get_all(name)
            .iter()
            .map(|value| Value::from(value.to_str().unwrap()));
        (name.as_str().to_owned(), values.collect())
    });
    Value::Object(names.collect())
}
