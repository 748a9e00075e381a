//! The HTTP client that fetches unless another is given: hyper with rustls.

use super::{
    address::Reach,
    connector::Connector,
    http_error::{HttpClientError, Stage},
};
use crate::{BytesBody, ConfigError};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, Client},
    rt::TokioExecutor,
};
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tower_service::Service;

/// The HTTP client that fetches key sets unless another is given.
///
/// It speaks HTTP/1.1, over TLS 1.2 or 1.3 where the URL says `https`, and trusts the system's
/// root certificates, which are read when it is built. It follows no redirect, decompresses
/// nothing, uses no proxy and keeps no connection: between two fetches lie minutes. Connecting
/// has a time limit. How long a response takes and how large it is are for the caller to limit.
///
/// Needs the feature `client`, and runs on tokio. Cheap to clone.
///
/// ```
/// use tower_jwks::HttpClient;
///
/// let client = HttpClient::builder().public_addresses_only().build()?;
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct HttpClient {
    client: Client<Connector, BytesBody>,
}

impl HttpClient {
    /// A client with the defaults.
    ///
    /// # Errors
    ///
    /// As [`build`](HttpClientBuilder::build); the defaults give rise to none.
    pub fn new() -> Result<Self, ConfigError> {
        Self::builder().build()
    }

    /// Builds a client.
    pub fn builder() -> HttpClientBuilder {
        HttpClientBuilder {
            connect_timeout: Duration::from_secs(2),
            roots: Ok(RootCertStore::empty()),
            reach: Reach::Everywhere,
        }
    }
}

impl Service<Request<BytesBody>> for HttpClient {
    type Response = Response<HttpClientBody>;
    type Error = HttpClientError;
    type Future = HttpClientFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), HttpClientError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<BytesBody>) -> HttpClientFuture {
        HttpClientFuture(self.client.request(request))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

/// Builds an [`HttpClient`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct HttpClientBuilder {
    connect_timeout: Duration,
    roots: Result<RootCertStore, ConfigError>,
    reach: Reach,
}

impl HttpClientBuilder {
    /// How long connecting may take, from looking the host up to the end of the TLS handshake;
    /// 2 s unless set.
    ///
    /// The addresses of a host share it, so that one that is silent leaves time for the next.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Trusts root certificates beside the system's: those of a private certificate authority.
    ///
    /// May be called several times, and the PEM may hold several certificates. Without its root a
    /// server is refused with `invalid peer certificate: UnknownIssuer`.
    ///
    /// ```
    /// use tower_jwks::HttpClient;
    ///
    /// let error = HttpClient::builder().root_certificate_pem("ca.pem").build().unwrap_err();
    /// assert_eq!(error.to_string(), "root_certificate_pem: holds no PEM certificate");
    /// ```
    pub fn root_certificate_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots = self.roots.and_then(|roots| with_pem(roots, pem.as_ref()));
        self
    }

    /// Connects to addresses of the public internet only.
    ///
    /// For a service whose issuers others may name. Loopback, private networks and the metadata
    /// services of clouds are refused, as addresses and as what a name resolves to. What is judged
    /// is the very address that is then connected to.
    pub fn public_addresses_only(mut self) -> Self {
        self.reach = Reach::Public;
        self
    }

    /// Builds the client, and reads the system's root certificates.
    ///
    /// The environment variables `SSL_CERT_FILE` and `SSL_CERT_DIR` tell where they are, if they
    /// are not where the system has them. If there are none, that is an error of each `https`
    /// request, and of no other.
    ///
    /// # Errors
    ///
    /// A root certificate that is none, or a timeout of zero.
    pub fn build(self) -> Result<HttpClient, ConfigError> {
        if self.connect_timeout.is_zero() {
            return Err(ConfigError::new("connect_timeout", "must not be zero"));
        }
        let mut roots = self.roots?;
        // What of them cannot be read is not trusted: an error enough for whoever needs it.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let connector = Connector::new(roots, self.reach, self.connect_timeout);
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            // The head of a response is bounded by it.
            .http1_max_buf_size(MAX_HEAD_BYTES)
            .build(connector);
        Ok(HttpClient { client })
    }
}

/// Far more than any provider sends.
const MAX_HEAD_BYTES: usize = 64 * 1024;

fn with_pem(mut roots: RootCertStore, pem: &[u8]) -> Result<RootCertStore, ConfigError> {
    // Not in the words of the parsers, which quote what they cannot read: it may be a secret.
    let error = |message| ConfigError::new("root_certificate_pem", message);
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| error("is damaged"))?;
        let added = roots.add(certificate);
        added.map_err(|_| error("holds a certificate that cannot be read"))?;
    }
    if roots.len() == before {
        return Err(error("holds no PEM certificate"));
    }
    Ok(roots)
}

/// The response future of an [`HttpClient`].
#[derive(Debug)]
pub struct HttpClientFuture(legacy::ResponseFuture);

impl Future for HttpClientFuture {
    type Output = Result<Response<HttpClientBody>, HttpClientError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(match response {
            Ok(response) => Ok(response.map(HttpClientBody)),
            Err(error) => Err(HttpClientError::new(Stage::of(&error), error)),
        })
    }
}

/// The response body of an [`HttpClient`].
#[derive(Debug)]
pub struct HttpClientBody(Incoming);

impl Body for HttpClientBody {
    type Data = Bytes;
    type Error = HttpClientError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpClientError>>> {
        let frame = ready!(Pin::new(&mut self.0).poll_frame(cx));
        Poll::Ready(
            frame.map(|result| result.map_err(|error| HttpClientError::new(Stage::Reading, error))),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            fetch::in_words,
            test_server::{fetch, serve},
        },
        *,
    };
    use http::{StatusCode, header::LOCATION};
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

    async fn failure(client: &HttpClient, url: String) -> String {
        in_words(&fetch(client, url).await.unwrap_err())
    }

    fn root() -> String {
        let root = rcgen::generate_simple_self_signed([]).unwrap();
        root.cert.pem()
    }

    #[tokio::test]
    async fn a_redirect_is_handed_back() {
        let moved = "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n";
        let url = format!("http://{}/", serve(moved));
        let response = fetch(&HttpClient::new().unwrap(), url).await.unwrap();
        assert_eq!(response.status(), StatusCode::FOUND);
        assert_eq!(response.headers()[LOCATION], "/elsewhere");
    }

    #[tokio::test]
    async fn with_public_addresses_only_loopback_is_refused_by_any_name() {
        let port = serve(OK).port();
        let open = HttpClient::new().unwrap();
        let guarded = HttpClient::builder().public_addresses_only().build();
        let guarded = guarded.unwrap();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let url = format!("http://{host}:{port}/");
            assert_eq!(fetch(&open, url.clone()).await.unwrap().body(), "{}");
            let refused = failure(&guarded, url).await;
            assert!(refused.starts_with("cannot connect: "), "{refused}");
            let reason = format!("the address of {host:?} is not public");
            assert!(refused.ends_with(&reason), "{refused}");
        }
    }

    #[tokio::test]
    async fn errors_say_what_failed() {
        let client = HttpClient::builder().root_certificate_pem(root());
        let client = client.build().unwrap();
        let check = async |url: String, expected: &str| {
            let failure = failure(&client, url).await;
            assert!(failure.starts_with(expected), "{failure}");
        };
        let served = |response| format!("http://{}/", serve(response));
        let cut_off = served("");
        let no_http = served("?\r\n\r\n");
        let too_short = served("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let no_tls = format!("https://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            let mut connection = listener.accept().unwrap().0;
            connection.write_all(b"no TLS").unwrap();
            // Until the client has gone: an unread byte would reset the connection before it reads.
            let _ = connection.read_to_end(&mut Vec::new());
        });

        check(
            cut_off,
            "the response cannot be read: connection closed before message completed",
        )
        .await;
        check(no_http, "the response cannot be read: invalid HTTP version").await;
        check(too_short, "the response cannot be read: end of file before").await;
        check(no_tls, "the TLS handshake failed: received corrupt message").await;
        let unreachable = "http://127.0.0.1:0/".to_owned();
        check(unreachable, "cannot connect: tcp connect error: ").await;
        let no_scheme = "ftp://127.0.0.1/".to_owned();
        check(no_scheme, "cannot connect: unsupported scheme ftp").await;
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        let check = |builder: HttpClientBuilder, expected: &str| {
            assert_eq!(builder.build().unwrap_err().to_string(), expected);
        };
        let with_root = |pem: &str| HttpClient::builder().root_certificate_pem(pem);
        let section = |body: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        };
        check(
            HttpClient::builder().connect_timeout(Duration::ZERO),
            "connect_timeout: must not be zero",
        );
        check(
            with_root(""),
            "root_certificate_pem: holds no PEM certificate",
        );
        check(with_root(&section("?")), "root_certificate_pem: is damaged");
        check(
            with_root(&section("AAAA")).root_certificate_pem(root()),
            "root_certificate_pem: holds a certificate that cannot be read",
        );
    }
}
