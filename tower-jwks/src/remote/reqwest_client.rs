//! An adapter for reqwest.

use super::fetch::in_words;
use crate::{BytesBody, ConfigError};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use reqwest::{Client, ClientBuilder, redirect::Policy};
use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

/// A client of reqwest 0.13 that fetches key sets, for those who need what
#[cfg_attr(feature = "client", doc = "[`HttpClient`](crate::HttpClient)")]
#[cfg_attr(not(feature = "client"), doc = "`HttpClient`")]
/// lacks: a proxy, TLS of another kind, client certificates, a resolver of their own.
///
/// It comes without reqwest's default features. Depend on reqwest with the one you want for TLS,
/// `reqwest = { version = "0.13", features = ["rustls"] }`; without any, `https` fails with "invalid URL,
/// scheme is not http". Unlike `HttpClient` it uses the proxy that the environment names (`HTTPS_PROXY`), unless its
/// builder is told otherwise.
///
/// Needs the feature `reqwest`, and runs on tokio. Cheap to clone.
///
/// ```
/// use std::time::Duration;
/// use tower_jwks::ReqwestClient;
///
/// let builder = reqwest::Client::builder().no_proxy().connect_timeout(Duration::from_secs(2));
/// let client = ReqwestClient::new(builder)?;
/// let keys = tower_jwks::RemoteJwks::discover("https://idp.example.com").client(client);
/// assert_eq!(keys.issuer(), "https://idp.example.com");
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ReqwestClient {
    client: Client,
}

impl ReqwestClient {
    /// Builds a client that follows no redirect, and is otherwise as the builder has it.
    ///
    /// # Errors
    ///
    /// reqwest cannot build it.
    pub fn new(builder: ClientBuilder) -> Result<Self, ConfigError> {
        // This is why it is not a built client that is taken: what that does about redirects can
        // neither be seen nor changed, and one that follows them goes wherever it is sent.
        let client = builder.redirect(Policy::none()).build();
        let client = client.map_err(|error| ConfigError::new("reqwest", in_words(&error)))?;
        Ok(Self { client })
    }
}

impl Service<Request<BytesBody>> for ReqwestClient {
    type Response = Response<ReqwestBody>;
    type Error = ReqwestError;
    type Future = ReqwestFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ReqwestError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<BytesBody>) -> ReqwestFuture {
        let request = request.map(reqwest::Body::wrap).try_into();
        let client = self.client.clone();
        ReqwestFuture(Box::pin(async move { client.execute(request?).await }))
    }
}

/// The response future of a [`ReqwestClient`].
pub struct ReqwestFuture(Pin<Box<dyn Future<Output = reqwest::Result<reqwest::Response>> + Send>>);

impl Future for ReqwestFuture {
    type Output = Result<Response<ReqwestBody>, ReqwestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(self.0.as_mut().poll(cx));
        Poll::Ready(match response {
            Ok(response) => Ok(Response::from(response).map(ReqwestBody)),
            Err(error) => Err(ReqwestError(error.without_url())),
        })
    }
}

impl fmt::Debug for ReqwestFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestFuture").finish_non_exhaustive()
    }
}

/// The response body of a [`ReqwestClient`].
#[derive(Debug)]
pub struct ReqwestBody(reqwest::Body);

impl Body for ReqwestBody {
    type Data = Bytes;
    type Error = ReqwestError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ReqwestError>>> {
        let frame = ready!(Pin::new(&mut self.0).poll_frame(cx));
        Poll::Ready(frame.map(|result| result.map_err(ReqwestError)))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// Why a [`ReqwestClient`] could not fetch something, in reqwest's words and those of the causes.
#[derive(Debug)]
pub struct ReqwestError(reqwest::Error);

impl fmt::Display for ReqwestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for ReqwestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::test_server::{fetch, serve},
        *,
    };
    use http::{StatusCode, header::LOCATION};
    use std::net::SocketAddr;

    async fn response_of(address: SocketAddr) -> Result<Response<Bytes>, ReqwestError> {
        // What the builder says about redirects does not count.
        let builder = Client::builder().no_proxy().redirect(Policy::limited(5));
        let client = ReqwestClient::new(builder).unwrap();
        fetch(&client, format!("http://{address}/")).await
    }

    #[tokio::test]
    async fn a_response_is_handed_on() {
        let response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let response = response_of(serve(response)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.body(), "{}");
    }

    #[tokio::test]
    async fn a_redirect_is_handed_back() {
        let moved = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
        let response = response_of(serve(moved)).await.unwrap();
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()[LOCATION], "/elsewhere");
    }

    #[tokio::test]
    async fn errors_say_what_failed() {
        let check = async |address: SocketAddr, expected: &str| {
            let failure = in_words(&response_of(address).await.unwrap_err());
            assert!(failure.contains(expected), "{failure}");
        };
        let cut = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{";
        check(serve(""), "connection closed before message completed").await;
        check(serve(cut), "end of file before message length reached").await;
        check(([127, 0, 0, 1], 0).into(), "tcp connect error").await;
    }
}
