//! Forms that services of older WSO2 products ask for.

use super::*;
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use tower_backend_jwt::Compatibility::{self, NoIssuer, NoKid, StandardAlphabet, X5t, X5tS256};
use tower_jwks::SigningKey;

fn certified() -> SigningKey {
    let key = openssl::text("ecparam -name prime256v1 -genkey -noout", "");
    let certificate = openssl::text("req -x509 -key /dev/stdin -subj /CN=gateway -days 2", &key);
    let key = SigningKey::from_pem(Algorithm::ES256, key).unwrap();
    key.with_certificate_pem(certificate).unwrap()
}

/// The backend JWT in these forms.
async fn in_forms(forms: &[Compatibility]) -> String {
    let policy = forms.iter().fold(Policy::default(), |policy, form| {
        policy.compatibility(*form)
    });
    let layer = BackendJwtLayer::new(KeyRing::new(certified()))
        .policy(policy)
        .unwrap()
        .clock(clock());
    ask(layer, get_with(&signed(&json!({}))))
        .await
        .backend_jwt()
}

#[tokio::test]
async fn none_of_them_is_on_by_default() {
    if !openssl::is_there() {
        return;
    }
    let jwt = in_forms(&[]).await;
    let header = header_of(&jwt);
    let names: Vec<_> = header.as_object().unwrap().keys().collect();
    assert_eq!(names, ["alg", "kid", "typ"]);
    assert_eq!(claims_of(&jwt)["iss"], "wso2.org/products/am");
    assert_eq!(Policy::wso2().compatibilities().count(), 0);
}

#[tokio::test]
async fn each_form_changes_what_it_names_and_nothing_else() {
    if !openssl::is_there() {
        return;
    }
    let header = header_of(&in_forms(&[X5t, X5tS256]).await);
    // 40 and 64 characters of hex, in base64 with padding.
    assert_eq!(header["x5t"].as_str().unwrap().len(), 56);
    assert_eq!(header["x5t#S256"].as_str().unwrap().len(), 88);
    assert!(header["kid"].is_string());

    let header = header_of(&in_forms(&[NoKid]).await);
    assert_eq!(header, json!({"typ": "JWT", "alg": "ES256"}));

    let claims = claims_of(&in_forms(&[NoIssuer]).await);
    assert_eq!(claims.get("iss"), None);
    assert_eq!(claims["sub"], "alice");
}

#[tokio::test]
async fn in_the_standard_alphabet_each_part_is_what_it_was_and_no_verifier_of_ours_takes_it() {
    if !openssl::is_there() {
        return;
    }
    // A signature of 64 bytes has neither `+` nor `/` once in 15 times.
    let mut jwt = in_forms(&[StandardAlphabet]).await;
    while !jwt.contains(['+', '/']) {
        jwt = in_forms(&[StandardAlphabet]).await;
    }
    let parts: Vec<_> = jwt
        .split('.')
        .map(|part| BASE64_STANDARD_NO_PAD.decode(part).unwrap())
        .collect();
    let [header, claims, signature] = parts.as_slice() else {
        panic!("three parts");
    };
    let header: Value = serde_json::from_slice(header).unwrap();
    assert_eq!((&header["alg"], signature.len()), (&json!("ES256"), 64));
    assert_eq!(
        serde_json::from_slice::<Value>(claims).unwrap()["sub"],
        "alice"
    );

    // The same token as that of a provider: the text alone decides.
    let provider = key(ALGORITHM);
    let claims = format!(
        r#"{{"iss":"{}","aud":"{}","x":"~~~???"}}"#,
        forge::ISSUER,
        forge::AUDIENCE
    );
    let text = provider
        .jws("JWT")
        .with_standard_alphabet()
        .sign(claims.as_bytes())
        .unwrap();
    assert!(text.contains(['+', '/']), "{text}");
    let reason = forge::verifier(provider)
        .verify(&text)
        .unwrap_err()
        .reason();
    assert_eq!(reason, RefusalReason::MalformedToken);
}

#[tokio::test]
async fn a_thumbprint_of_no_certificate_is_found_when_the_layer_is_built() {
    for form in [X5t, X5tS256] {
        let error = minting()
            .policy(Policy::default().compatibility(form))
            .unwrap_err();
        assert_eq!(error.field(), "compatibility");
        assert!(error.to_string().contains(form.name()), "{error}");
    }
}

#[tokio::test]
async fn without_an_issuer_the_gateways_own_name_is_refused_all_the_same() {
    let policy = Policy::default()
        .issuer(forge::ISSUER)
        .compatibility(NoIssuer);
    let answer = ask(with_policy(policy), get_with(&signed(&json!({})))).await;
    let reason = answer.head.extensions.get::<Refusal>().map(Refusal::reason);
    assert_eq!(reason, Some(RefusalReason::SelfIssued));
}

#[tokio::test]
async fn nothing_fixed_to_say_is_valid_json_too() {
    let policy = Policy::default()
        .no_dialect()
        .copied_claims(CopiedClaims::none())
        .compatibility(NoIssuer);
    let claims = minted(with_policy(policy), json!({})).await;
    let mut names: Vec<_> = claims.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["exp", "iat", "jti", "sub"]);
}

#[test]
fn each_has_a_name_and_a_warning() {
    for form in Compatibility::ALL {
        assert_eq!(form.name().parse(), Ok(form));
        assert!(form.warning().len() > 20);
    }
    assert!("base64".parse::<Compatibility>().is_err());
}
