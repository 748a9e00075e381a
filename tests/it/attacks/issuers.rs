//! Issuers, each with its own keys.

use super::*;

#[test]
fn an_issuer_is_compared_byte_for_byte() {
    for name in [
        "https://idp.example.com/",
        "https://IDP.example.com",
        "https://idp.example.com:443",
        "http://idp.example.com",
        "https://idp.example.co",
        "https://idp.example.com/x/../",
        "https://idp%2Eexample.com",
        "idp.example.com",
    ] {
        refused(R::UnknownIssuer, [signed(&json!({"iss": name}))]);
    }
    for value in [json!([ISSUER]), json!(1), json!({}), json!("")] {
        refused(R::MalformedClaim, [signed(&json!({"iss": value}))]);
    }
    refused(R::MissingClaim, [signed(&json!({"iss": null}))]);
}

#[test]
fn a_key_of_one_issuer_signs_for_no_other() {
    let (a, b) = (
        new_key(ALGORITHM).with_kid("k").unwrap(),
        new_key(ALGORITHM).with_kid("k").unwrap(),
    );
    let trust = |name: &str, key: &tower_jwks::SigningKey| {
        let set = JwkSet::new([key.jwk().clone()]).unwrap();
        Issuer::from_jwks(name, set)
            .audience("orders")
            .build()
            .unwrap()
    };
    let verifier = Verifier::builder()
        .issuer(trust("https://a.example.com", &a))
        .issuer(trust("https://b.example.com", &b))
        .clock(clock())
        .build()
        .unwrap();
    let token = |key, issuer| Token::of(key).claim("iss", issuer).sign();
    // One kid at two issuers: each finds its own key.
    assert!(verifier.verify(&token(&a, "https://a.example.com")).is_ok());
    assert!(verifier.verify(&token(&b, "https://b.example.com")).is_ok());
    let refusal = verifier
        .verify(&token(&a, "https://b.example.com"))
        .unwrap_err();
    assert_eq!(refusal.reason(), R::InvalidSignature);
}

#[test]
fn a_key_from_pem_has_no_kid_and_is_tried_for_tokens_of_any() {
    let ours = key(ALGORITHM);
    let mut jwk: Value = serde_json::from_str(&ours.jwk().to_string()).unwrap();
    jwk.as_object_mut().unwrap().remove("kid");
    let jwk = tower_jwks::Jwk::parse(&jwk.to_string()).unwrap();
    let nameless = VerifyingKey::from_jwk(ALGORITHM, &jwk).unwrap();
    assert_eq!(nameless.kid(), None);
    let issuer = Issuer::from_keys(ISSUER, [nameless])
        .audience("orders")
        .build()
        .unwrap();
    let verifier = verifier_of(issuer);
    assert!(
        verifier
            .verify(&Token::of(ours).header("kid", "whatever").sign())
            .is_ok()
    );
    assert!(
        verifier
            .verify(&Token::of(ours).without_header("kid").sign())
            .is_ok()
    );
}

#[test]
fn an_issuer_that_cannot_work_is_an_error_when_it_is_built() {
    let set = || JwkSet::new([key(ALGORITHM).into()]).unwrap();
    let field =
        |builder: tower_backend_jwt::IssuerBuilder| builder.build().unwrap_err().field().to_owned();
    assert_eq!(field(Issuer::from_jwks(ISSUER, set())), "audience");
    assert_eq!(
        field(Issuer::from_jwks(ISSUER, set()).audience("")),
        "audience"
    );
    let both = Issuer::from_jwks(ISSUER, set()).audience("a");
    assert_eq!(field(both.dangerous_accept_any_audience()), "audience");
    assert_eq!(field(Issuer::from_keys(ISSUER, []).audience("a")), "keys");
    let prepared = || [key(ALGORITHM).verifying_key()];
    let other = Issuer::from_keys(ISSUER, prepared()).audience("a");
    assert_eq!(field(other.algorithms([Algorithm::RS256])), "algorithms");
    assert_eq!(field(Issuer::from_jwks("", set()).audience("a")), "issuer");
    assert_eq!(
        field(
            Issuer::from_jwks(ISSUER, set())
                .audience("a")
                .algorithms([])
        ),
        "algorithms"
    );
    let types: [&str; 0] = [];
    assert_eq!(
        field(
            Issuer::from_jwks(ISSUER, set())
                .audience("a")
                .token_types(types)
        ),
        "token_types"
    );
    let mismatched = Issuer::from_jwks(ISSUER, set())
        .audience("a")
        .algorithms([Algorithm::RS256]);
    let error = mismatched.build().unwrap_err();
    assert!(error.to_string().contains("alg"), "{error}");
    let odd = JwkSet::parse(json!({"keys": [{"kty": "odd"}, to_json(key(ALGORITHM))]}).to_string());
    let issuer = Issuer::from_jwks(ISSUER, odd.unwrap())
        .audience("a")
        .build()
        .unwrap();
    assert_eq!(issuer.status().left_out[0].reason().field(), "kty");
    let empty = JwkSet::parse(r#"{"keys":[]}"#).unwrap();
    assert_eq!(
        field(Issuer::from_jwks(ISSUER, empty).audience("a")),
        "jwks"
    );
    assert_eq!(Verifier::builder().build().unwrap_err().field(), "issuers");
    let issuer = forge::issuer(key(ALGORITHM));
    let twice = Verifier::builder().issuer(issuer.clone()).issuer(issuer);
    assert_eq!(twice.build().unwrap_err().field(), "issuers");
}

fn to_json(key: &tower_jwks::SigningKey) -> Value {
    serde_json::from_str(&key.jwk().to_string()).unwrap()
}
