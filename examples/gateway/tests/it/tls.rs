//! Endpoints over https, where HTTP/2 is spoken and trailers go through.

use std::{future::ready, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt, Full};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    backend,
    gateway::{Files, Gateway, bearer, conf_for, minting},
    idp::{self, Idp},
};

/// What `localhost` needs for TLS, with these protocols above it, and its certificate as PEM.
pub(crate) fn acceptor(protocols: &[&str]) -> (TlsAcceptor, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let mut tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    tls.alpn_protocols = protocols.iter().map(|name| (*name).into()).collect();
    (TlsAcceptor::from(Arc::new(tls)), cert.pem())
}

/// A backend with a certificate that the gateway is told to trust, or not.
async fn serving(trusted: bool) -> (Gateway, Idp) {
    let (acceptor, certificate) = acceptor(&["h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A handshake that fails is the gateway's to report.
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(backend::serve_connection(stream));
            }
        }
    });

    let idp = Idp::new();
    let operations = "
  - {target: /test, verb: POST}
  - {target: /leak, verb: GET, secured: false}
  - target: /stream
    verb: POST
    secured: false
    operationPolicies:
      request: [{policyName: SetHeader, parameters: {headerName: X-Checksum, headerValue: '0'}}]
      response: [{policyName: RemoveHeader, parameters: {headerName: X-Checksum}}]";
    let files = Files::new(&idp).api(&minting(&conf_for(
        &format!("https://localhost:{port}/base"),
        operations,
    )));
    let other = generate_simple_self_signed(["localhost".to_owned()])
        .unwrap()
        .cert;
    let trust = files.write(
        "trusted.pem",
        &if trusted { certificate } else { other.pem() },
    );
    (files.start_with(&[("SSL_CERT_FILE", trust.as_path())]), idp)
}

#[tokio::test]
async fn trailers_pass_over_http2_but_a_forged_backend_jwt_among_them_does_not() {
    let (gateway, idp) = serving(true).await;
    let mut http2 = gateway.http2().await;
    let names = [
        "x-checksum",
        "x-jwt-assertion",
        "x_jwt_assertion",
        "x.jwt.assertion",
        "authorization",
    ];
    let trailers = names.map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x")));
    let body = Full::new(Bytes::from_static(b"data"))
        .with_trailers(ready(Some(Ok(HeaderMap::from_iter(trailers)))));
    let request = Request::post(gateway.url("/orders/1.0.0/test"))
        .header("authorization", bearer(&idp.token(&json!({}))))
        .body(body)
        .unwrap();
    let response = http2.send_request(request).await.unwrap();
    let seen: Value =
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(seen["version"], "HTTP/2.0");
    assert_eq!(
        seen["authority"].as_str().unwrap().split(':').next(),
        Some("localhost")
    );
    assert_eq!(seen["body"], "data");
    assert_eq!(seen["trailers"], json!({ "x-checksum": ["x"] }));
    assert_eq!(
        idp::part(seen["headers"]["x-jwt-assertion"][0].as_str().unwrap(), 1)["sub"],
        "alice"
    );
}

#[tokio::test]
async fn header_policies_leave_trailers_alone() {
    let (gateway, _) = serving(true).await;
    let mut http2 = gateway.http2().await;
    let trailer = (
        HeaderName::from_static("x-checksum"),
        HeaderValue::from_static("1"),
    );
    let body = Full::new(Bytes::from_static(b"data"))
        .with_trailers(ready(Some(Ok(HeaderMap::from_iter([trailer])))));
    let request = Request::post(gateway.url("/orders/1.0.0/stream"))
        .body(body)
        .unwrap();
    // What comes back is what the service has received.
    let response = http2.send_request(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    assert_eq!(body.trailers().unwrap()["x-checksum"], "1");
}

#[tokio::test]
async fn the_response_carries_no_backend_jwt_as_a_trailer_either() {
    let (gateway, _) = serving(true).await;
    let mut http2 = gateway.http2().await;
    let request = Request::get(gateway.url("/orders/1.0.0/leak"))
        .body(Full::<Bytes>::default())
        .unwrap();
    let response = http2.send_request(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap();
    let names: Vec<_> = body.trailers().unwrap().keys().cloned().collect();
    assert_eq!(names, ["x-checksum"]);
}

#[tokio::test]
async fn a_backend_with_an_unknown_certificate_is_not_talked_to() {
    let (gateway, idp) = serving(false).await;
    let token = bearer(&idp.token(&json!({})));
    let answer = gateway
        .send(
            "POST",
            "/orders/1.0.0/test",
            &[("Authorization", &token)],
            "",
        )
        .await;
    assert_eq!(answer.status, 502);
}
