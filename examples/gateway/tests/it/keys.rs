//! The gateway's own keys.

use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use tower_jwks::{Algorithm, Clock, SigningKey, SystemClock, UnixTime};

use crate::{
    backend::Backend,
    gateway::{Answer, Files, bearer, conf, minting},
    idp::{self, Idp},
};

/// A key and its certificate, as PEM.
fn pair(algorithm: &'static rcgen::SignatureAlgorithm) -> (String, String) {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let certificate = CertificateParams::new(["gateway".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    (key.serialize_pem(), certificate.pem())
}

/// The same, with a certificate that ends then.
fn pair_until(end: UnixTime) -> (String, String) {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = CertificateParams::new(["gateway".to_owned()]).unwrap();
    params.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(end.as_secs());
    let certificate = params.self_signed(&key).unwrap();
    (key.serialize_pem(), certificate.pem())
}

/// What the backend and the JWKS path say under these settings.
async fn call(files: Files, idp: &Idp) -> (Answer, Value) {
    let backend = Backend::start().await;
    let gateway = files
        .api(&minting(&conf(&backend, "[{target: '/test', verb: GET}]")))
        .start();
    let token = bearer(&idp.token(&json!({})));
    let answer = gateway
        .get("/orders/1.0.0/test", &[("Authorization", &token)])
        .await;
    (
        answer,
        gateway.get("/.well-known/jwks.json", &[]).await.json(),
    )
}

#[tokio::test]
async fn the_active_key_signs_and_all_keys_are_published() {
    let idp = Idp::new();
    let (old, _) = pair(&rcgen::PKCS_ECDSA_P384_SHA384);
    let (new, certificate) = pair(&rcgen::PKCS_ECDSA_P256_SHA256);
    let files = Files::new(&idp).more(
        "signing:
  keys:
    - {privateKey: old.pem, active: false}
    - {privateKey: new.pem, certificate: new.crt, active: true}
",
    );
    files.write("old.pem", &old);
    files.write("new.pem", &new);
    files.write("new.crt", &certificate);
    let (answer, jwks) = call(files, &idp).await;

    let jwt = answer.seen("x-jwt-assertion").unwrap();
    let key = SigningKey::from_pem(Algorithm::ES256, &new).unwrap();
    assert_eq!(idp::part(&jwt, 0)["kid"], key.kid());
    assert!(idp::verifies(
        &jwt,
        jwks.to_string().as_bytes(),
        Algorithm::ES256
    ));
    let algorithms: Vec<_> = jwks["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["alg"])
        .collect();
    assert_eq!(algorithms, ["ES256", "ES384"]);
}

#[tokio::test]
async fn keys_can_be_named_after_their_certificates() {
    let idp = Idp::new();
    let (key, certificate) = pair(&rcgen::PKCS_ED25519);
    let files = Files::new(&idp).more(
        "signing: {kid: certificate, keys: [{privateKey: key.pem, certificate: key.crt, algorithm: EdDSA}]}\n",
    );
    files.write("key.pem", &key);
    files.write("key.crt", &certificate);
    let (answer, _) = call(files, &idp).await;
    let jwt = answer.seen("x-jwt-assertion").unwrap();
    let expected = SigningKey::from_pem(Algorithm::EdDSA, &key)
        .and_then(|key| key.with_certificate_pem(&certificate))
        .and_then(SigningKey::with_certificate_kid)
        .unwrap();
    assert_eq!(idp::part(&jwt, 0)["kid"], expected.kid());
    assert_eq!(expected.kid().len(), 86);
}

#[tokio::test]
async fn keys_can_be_named_after_the_issuers_of_their_certificates() {
    let idp = Idp::new();
    let (key, certificate) = pair(&rcgen::PKCS_ED25519);
    let files = Files::new(&idp).more(
        "signing: {kid: issuerSerial, keys: [{privateKey: key.pem, certificate: key.crt, algorithm: EdDSA}]}\n",
    );
    files.write("key.pem", &key);
    files.write("key.crt", &certificate);
    let (code, said) = files.check_logging("warn");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("WARN") && said.contains("signing.kid is issuerSerial"),
        "{said}"
    );

    let (answer, jwks) = call(files, &idp).await;
    let jwt = answer.seen("x-jwt-assertion").unwrap();
    let expected = SigningKey::from_pem(Algorithm::EdDSA, &key)
        .and_then(|key| key.with_certificate_pem(&certificate))
        .and_then(SigningKey::with_issuer_serial_kid)
        .unwrap();
    assert_eq!(idp::part(&jwt, 0)["kid"], expected.kid());
    assert_eq!(jwks["keys"][0]["kid"], expected.kid());
}

#[tokio::test]
async fn an_issuer_may_be_known_by_its_certificate() {
    let idp = Idp::new();
    let (key, certificate) = pair(&rcgen::PKCS_ECDSA_P256_SHA256);
    let files = Files::new(&idp).issuers(
        "issuers: [{issuer: 'https://idp.example.com', audiences: [test-audience], certificate: idp.crt}]\n",
    );
    files.write("idp.crt", &certificate);
    let idp = Idp::with(SigningKey::from_pem(Algorithm::ES256, key).unwrap());
    let (answer, _) = call(files, &idp).await;
    assert!(answer.seen("x-jwt-assertion").is_some());
}

#[test]
fn keys_that_cannot_be_used_are_refused_by_name() {
    let idp = Idp::new();
    let (key, certificate) = pair(&rcgen::PKCS_ECDSA_P256_SHA256);
    let (other, _) = pair(&rcgen::PKCS_ECDSA_P256_SHA256);
    for (signing, field) in [
        (
            "{keys: [{privateKey: nowhere.pem}]}",
            "signing.keys[0].privateKey: ",
        ),
        (
            "{keys: [{privateKey: key.crt}]}",
            "signing.keys[0].privateKey: ",
        ),
        (
            "{keys: [{privateKey: key.pem, algorithm: RS256}]}",
            "signing.keys[0].privateKey: ",
        ),
        (
            "{keys: [{privateKey: key.pem, algorithm: HS256}]}",
            "signing.keys[0].algorithm: ",
        ),
        (
            "{keys: [{privateKey: other.pem, certificate: key.crt}]}",
            "signing.keys[0].certificate: ",
        ),
        (
            "{keys: [{privateKey: key.pem, active: false}]}",
            "signing.keys: one of them has to be active",
        ),
        (
            "{keys: [{privateKey: key.pem}, {privateKey: other.pem}]}",
            "signing.keys: one of them has to be active",
        ),
        (
            "{keys: [{privateKey: key.pem, active: true}, {privateKey: other.pem, active: true}]}",
            "signing.keys[1].active: another key is active",
        ),
        (
            "{keys: [{privateKey: key.pem, active: true}, {privateKey: key.pem}]}",
            "signing.keys: ",
        ),
        (
            "{kid: certificate, keys: [{privateKey: key.pem}]}",
            "signing.keys[0]: kid",
        ),
        (
            "{kid: issuerSerial, keys: [{privateKey: key.pem}]}",
            "signing.keys[0]: kid",
        ),
        ("{kid: certificate}", "signing.kid: "),
        ("{kid: issuerSerial}", "signing.kid: "),
        ("{kid: mine}", "signing.kid: "),
    ] {
        let files = Files::new(&idp).more(&format!("signing: {signing}\n"));
        files.write("key.pem", &key);
        files.write("key.crt", &certificate);
        files.write("other.pem", &other);
        let (code, complaint) = files.check();
        assert_eq!(code, Some(2), "{signing}: {complaint}");
        assert!(
            complaint.contains(&format!(" {field}")),
            "{signing}: {complaint}"
        );
        assert!(!complaint.contains("PRIVATE KEY"), "{complaint}");
    }
}

#[test]
fn a_signing_certificate_has_time_left() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let now = SystemClock.now();
    let idp = Idp::new();
    let check = |end, active: bool| {
        let files = Files::new(&idp).more(&format!(
            "signing: {{keys: [{{privateKey: key.pem, certificate: key.crt, active: {active}}}, {{privateKey: other.pem, active: {}}}]}}\n",
            !active
        ));
        let (key, certificate) = pair_until(end);
        files.write("key.pem", &key);
        files.write("key.crt", &certificate);
        files.write("other.pem", &pair(&rcgen::PKCS_ECDSA_P256_SHA256).0);
        files.check_logging("warn")
    };

    let (code, said) = check(now.saturating_sub(DAY), true);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("gateway.yaml: signing.keys[0].certificate: is expired"),
        "{said}"
    );

    let (code, said) = check(now.saturating_add(3 * DAY), true);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("WARN") && said.contains("signing.keys[0].certificate expires in 7"),
        "{said}"
    );

    // A key that is only published may end: what it has signed can still be verified.
    for (end, active) in [
        (now.saturating_add(30 * DAY), true),
        (now.saturating_sub(DAY), false),
    ] {
        assert_eq!(check(end, active), (Some(0), String::new()));
    }
}
