//! The parameters of `BackendJwt` that WSO2 APK does not know.

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};
use tower_backend_jwt::Compatibility;
use tower_jwks::{Algorithm, SigningKey};

use crate::{
    backend::Backend,
    deployer::{Stage, named, refused},
    gateway::{Files, bearer, conf, conf_for},
    idp::{Idp, part},
};

/// An operation `/PLACE` with a backend JWT of these parameters.
fn operation((place, parameters): (usize, &&str)) -> String {
    format!(
        "{{target: '/{place}', verb: GET, operationPolicies: {{request: [{{policyName: BackendJwt, parameters: {{{parameters}}}}}]}}}}"
    )
}

fn operations(parameters: &[&str]) -> String {
    let all: Vec<_> = parameters.iter().enumerate().map(operation).collect();
    format!("[{}]", all.join(", "))
}

/// The signing key that `with_certificate` writes into the folder, as settings.
const SIGNING: &str = "signing: {keys: [{privateKey: key.pem, certificate: key.crt}]}\n";

/// Writes a signing key with a certificate.
fn with_certificate(files: Files) -> (Files, SigningKey) {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = CertificateParams::new(["gateway".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    files.write("key.pem", &key.serialize_pem());
    files.write("key.crt", &certificate.pem());
    let key = SigningKey::from_pem(Algorithm::ES256, key.serialize_pem())
        .and_then(|key| key.with_certificate_pem(certificate.pem()))
        .unwrap();
    (files.more(SIGNING), key)
}

/// The backend JWTs that a gateway makes after each of these parameters.
async fn minted<const N: usize>(parameters: [&str; N]) -> ([String; N], SigningKey) {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let api = conf(&backend, &operations(&parameters));
    let (files, key) = with_certificate(Files::new(&idp).api(&api));
    let gateway = files.start();
    // Wherever it begins, the subject has in base64 both characters that the alphabets differ in.
    let claims =
        json!({ "email": "alice@example.com", "department": "sales", "sub": "alice>>>>>?????" });
    let token = bearer(&idp.token(&claims));
    let mut jwts = [const { String::new() }; N];
    for (place, jwt) in jwts.iter_mut().enumerate() {
        let path = format!("/orders/1.0.0/{place}");
        let answer = gateway.get(&path, &[("Authorization", &token)]).await;
        *jwt = answer.seen("x-jwt-assertion").unwrap();
    }
    (jwts, key)
}

#[tokio::test]
async fn each_parameter_changes_what_it_is_for() {
    let (jwts, _) = minted([
        "",
        "audiences: [orders]",
        "audiences: [orders, stock]",
        "claimDialect: 'https://claims.example.com/'",
        "claimDialect: ''",
        "excludedClaims: [email, azp]",
        "copiedClaims: [email, azp]",
        "endUser: true",
        "endUser: false",
        "issuer: 'https://gateway.example.com'",
    ])
    .await;
    let default = part(&jwts[0], 1);
    let wso2 = "http://wso2.org/claims";
    let subject = &default["sub"];
    assert_eq!(default["iss"], "wso2.org/products/am");
    assert_eq!(default["department"], "sales");
    for (place, changes) in [
        (1, json!({ "aud": ["orders"] })),
        (2, json!({ "aud": ["orders", "stock"] })),
        (5, json!({ "email": null, "azp": null })),
        (6, json!({ "department": null })),
        (7, json!({ format!("{wso2}/enduser"): subject })),
        (8, json!({})),
        (9, json!({ "iss": "https://gateway.example.com" })),
    ] {
        let mut expected = default.clone();
        for (name, value) in changes.as_object().unwrap() {
            expected[name] = value.clone();
        }
        let got = part(&jwts[place], 1);
        assert_eq!(comparable(&got), comparable(&expected), "{place}");
    }
    for (place, prefix) in [(3, "https://claims.example.com/"), (4, "")] {
        let renamed = default.as_object().unwrap().iter().map(|(name, value)| {
            let own = name.strip_prefix("http://wso2.org/claims/");
            let name = own.map_or(name.clone(), |own| format!("{prefix}{own}"));
            (name, value.clone())
        });
        let got = part(&jwts[place], 1);
        assert_eq!(comparable(&got), comparable(&renamed.collect()), "{place}");
    }
}

/// Without what is another one in each JWT, and what is not there.
fn comparable(claims: &Value) -> Value {
    let claims = claims.as_object().unwrap().iter();
    claims
        .filter(|(name, value)| !["iat", "exp", "jti"].contains(&name.as_str()) && !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

#[tokio::test]
async fn each_form_of_an_older_product_is_written_as_there() {
    let (jwts, key) = minted([
        "",
        "compatibility: [x5t]",
        "compatibility: ['x5t#S256']",
        "compatibility: [noKid]",
        "compatibility: [noIssuer]",
        "compatibility: [noKid, noIssuer, x5t]",
        "compatibility: [standardAlphabet]",
    ])
    .await;
    let kid = key.kid();
    let (x5t, x5t_s256) = (key.wso2_x5t().unwrap(), key.wso2_x5t_s256().unwrap());
    for (place, header, has_issuer) in [
        (0, json!({ "alg": "ES256", "typ": "JWT", "kid": kid }), true),
        (
            1,
            json!({ "alg": "ES256", "typ": "JWT", "kid": kid, "x5t": x5t }),
            true,
        ),
        (
            2,
            json!({ "alg": "ES256", "typ": "JWT", "kid": kid, "x5t#S256": x5t_s256 }),
            true,
        ),
        (3, json!({ "alg": "ES256", "typ": "JWT" }), true),
        (
            4,
            json!({ "alg": "ES256", "typ": "JWT", "kid": kid }),
            false,
        ),
        (
            5,
            json!({ "alg": "ES256", "typ": "JWT", "x5t": x5t }),
            false,
        ),
    ] {
        assert_eq!(part(&jwts[place], 0), header, "{place}");
        assert_eq!(
            part(&jwts[place], 1).get("iss").is_some(),
            has_issuer,
            "{place}"
        );
    }

    let standard = &jwts[6];
    assert!(
        standard.contains('+') && standard.contains('/') && !standard.contains(['-', '_']),
        "{standard}"
    );
    let claims = standard.split('.').nth(1).unwrap().trim_end_matches('=');
    let claims: Value =
        serde_json::from_slice(&BASE64_STANDARD_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(comparable(&claims), comparable(&part(&jwts[0], 1)));
}

#[test]
fn each_form_of_an_older_product_is_warned_of() {
    let forms = Compatibility::ALL.map(|form| format!("compatibility: ['{form}']"));
    let forms = forms.each_ref().map(String::as_str);
    let api = conf_for("http://127.0.0.1:9", &operations(&forms));
    let (files, _) = with_certificate(Files::new(&Idp::new()).api(&api));
    let (code, said) = files.check_logging("warn");
    assert_eq!(code, Some(0), "{said}");
    for (place, form) in Compatibility::ALL.iter().enumerate() {
        let field = format!("field=\"operations[{place}].operationPolicies.request[0]\"");
        let line = said.lines().find(|line| line.contains(&field)).unwrap();
        let form_field = format!("form={form}");
        for part in ["WARN", "api=\"orders\"", &form_field, form.warning()] {
            assert!(line.contains(part), "{line}\n{part}");
        }
    }
    assert_eq!(said.lines().count(), Compatibility::ALL.len(), "{said}");
}

#[tokio::test]
async fn a_thumbprint_needs_a_certificate() {
    for form in ["x5t", "x5t#S256"] {
        let parameters = format!("compatibility: ['{form}']");
        let operations = operations(&["", &parameters]);
        let why =
            format!("compatibility: {form} is of a certificate, and the signing key has none");

        let api = conf_for("http://127.0.0.1:9", &operations);
        let (code, complaint) = Files::new(&Idp::new()).api(&api).check();
        assert_eq!(code, Some(2), "{complaint}");
        let expected = format!("api-0.yaml: operations[1].operationPolicies.request[0]: {why}");
        assert!(complaint.contains(&expected), "{complaint}\n{expected}");

        let stage = Stage::empty().await;
        let api = named(&stage.backend, "a", &operations);
        let error = refused(&stage.deploy(&api).await, 400, 909029);
        let place = "#/operations/1/operationPolicies/request/0";
        assert_eq!(error["moreInfo"], json!({ place: why }));
    }
}

#[test]
fn what_is_wrong_with_a_parameter_is_refused_by_name() {
    for (parameters, expected) in [
        ("audiences: orders", "parameters.audiences: "),
        ("audiences: ['']", "audience: is empty"),
        ("claimDialect: 5", "parameters.claimDialect: "),
        ("excludedClaims: email", "parameters.excludedClaims: "),
        ("endUser: 'yes'", "parameters.endUser: "),
        ("issuer: ''", "issuer: is empty"),
        ("compatibility: x5t", "parameters.compatibility: "),
        ("compatibility: [X5T]", "parameters.compatibility: \"X5T\""),
    ] {
        let api = conf_for("http://127.0.0.1:9", &operations(&[parameters]));
        let (code, complaint) = Files::new(&Idp::new()).api(&api).check();
        assert_eq!(code, Some(2), "{parameters}: {complaint}");
        let expected =
            format!("api-0.yaml: operations[0].operationPolicies.request[0]: {expected}");
        // Where a field is wrong as it is read, its line is known as well.
        let complaint = without_position(&complaint);
        assert!(complaint.contains(&expected), "{complaint}\n{expected}");
    }
}

/// Without the line and the column after the name of the file.
fn without_position(complaint: &str) -> String {
    let (before, after) = complaint.split_once("api-0.yaml:").unwrap();
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
    format!("{before}api-0.yaml:{after}")
}
