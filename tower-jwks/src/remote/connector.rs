//! Connects for the HTTP client: where it may, to whom the certificate names, within a time.

use super::address::{Reach, Resolver};
use http::{Uri, uri::Scheme};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls::{ClientConfig, RootCertStore, crypto::CryptoProvider};
use std::{
    error::Error,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{net::TcpStream, time};
use tower_service::Service;

type BoxError = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
pub(super) struct Connector {
    https: HttpsConnector<HttpConnector<Resolver>>,
    trusts_any: bool,
    reach: Reach,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(roots: RootCertStore, reach: Reach, timeout: Duration) -> Self {
        let trusts_any = !roots.is_empty();
        let tls = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .expect("each of the providers has TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut http = HttpConnector::new_with_resolver(Resolver::new(reach));
        http.enforce_http(false);
        // Splits the time among a host's addresses: without it the first could use up all of it.
        http.set_connect_timeout(Some(timeout));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Self {
            https,
            trusts_any,
            reach,
            timeout,
        }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        if let Err(refused) = self.reach.check_literal(&uri) {
            return Box::pin(async { Err(refused.into()) });
        }
        if !self.trusts_any && uri.scheme() == Some(&Scheme::HTTPS) {
            let message = "the system has no root certificates, and none was given";
            return Box::pin(async move { Err(message.into()) });
        }
        let timeout = self.timeout;
        let connected = self.https.call(uri);
        Box::pin(async move {
            // Over the lookup and the TLS handshake too, to which the other timeout does not apply.
            let connected = time::timeout(timeout, connected).await;
            connected.unwrap_or_else(|_| Err(format!("not connected within {timeout:?}").into()))
        })
    }
}

/// The cryptography of this crate's features. The process's default may be another's, or none.
fn provider() -> CryptoProvider {
    #[cfg(feature = "aws-lc-rs")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    return rustls::crypto::ring::default_provider();
}

#[cfg(test)]
mod tests {
    use super::{super::fetch::in_words, *};
    use crate::{BytesBody, HttpClient};
    use http::{Request, StatusCode};
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
    use rustls::{ServerConfig, ServerConnection, StreamOwned, pki_types::CertificateDer};
    use std::{
        io::{self, BufRead, BufReader, Read, Write},
        net::TcpListener,
        thread,
    };

    type Authority = CertifiedIssuer<'static, KeyPair>;

    fn authority(name: &str) -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    }

    /// A server on loopback, with a certificate for `localhost`; its port.
    fn serve(authority: &Authority) -> u16 {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into());
        let config = Arc::new(config.unwrap());

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
                // That the client breaks off is what is tested.
                let _ = answer(StreamOwned::new(tls, connection.unwrap()));
            }
        });
        port
    }

    fn answer(connection: impl Read + Write) -> io::Result<()> {
        let mut connection = BufReader::new(connection);
        while connection.read_line(&mut String::new())? > "\r\n".len() {}
        let mut connection = connection.into_inner();
        connection.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
        connection.flush()
    }

    fn connector(roots: &[&CertificateDer<'static>], timeout: Duration) -> Connector {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(roots.iter().copied().cloned());
        Connector::new(store, Reach::Everywhere, timeout)
    }

    async fn connect(mut connector: Connector, url: &str) -> Result<(), String> {
        let connected = connector.call(url.parse().unwrap()).await;
        connected.map(drop).map_err(|error| in_words(&*error))
    }

    #[tokio::test]
    async fn a_server_is_trusted_with_the_root_of_its_authority_alone() {
        let ours = authority("ours");
        let another = authority("another");
        let port = serve(&ours);
        let check = async |roots: &[&CertificateDer<'static>], host: &str, expected| {
            let connector = connector(roots, Duration::from_secs(5));
            let connected = connect(connector, &format!("https://{host}:{port}/")).await;
            assert_eq!(connected, expected);
        };
        let refused = |message: &str| Err(message.to_owned());
        check(&[another.der(), ours.der()], "localhost", Ok(())).await;
        let unknown = refused("invalid peer certificate: UnknownIssuer");
        check(&[another.der()], "localhost", unknown).await;
        let none = refused("the system has no root certificates, and none was given");
        check(&[], "localhost", none).await;
        let misnamed = refused(
            "invalid peer certificate: certificate not valid for name \"127.0.0.1\"; \
             certificate is only valid for DnsName(\"localhost\")",
        );
        check(&[ours.der()], "127.0.0.1", misnamed).await;
    }

    #[tokio::test]
    async fn the_client_speaks_to_a_server_under_a_private_authority() {
        let authority = authority("ours");
        let url = format!("https://localhost:{}/", serve(&authority));
        let client = HttpClient::builder().root_certificate_pem(authority.pem());
        let request = Request::get(url).body(BytesBody::default()).unwrap();
        let response = client.build().unwrap().call(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
    }

    #[tokio::test]
    async fn without_tls_no_root_is_needed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let connector = connector(&[], Duration::from_secs(5));
        assert_eq!(connect(connector, &url).await, Ok(()));
    }

    #[tokio::test]
    async fn connecting_ends_with_its_time() {
        // The system takes the connection; nobody answers the handshake.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}/", silent.local_addr().unwrap());
        let connector = connector(&[authority("ours").der()], Duration::from_millis(20));
        let ended = Err("not connected within 20ms".to_owned());
        assert_eq!(connect(connector, &url).await, ended);
    }
}
