//! What is shown of a layer, its service and its future holds no secret.

use super::{KNOWN, access_token, answered, application, chosen, good, jwks, strip, user_claims};
use http::Request;
use std::fmt::{Debug, Write};
use tests::{
    body::UnsyncBody,
    capture::{Capture, assert_without},
    echo::Echo,
    forge::{self, Token},
    keys::key,
    time::clock,
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_backend_jwt::{
    AccessTokenLayer, BackendJwtLayer, Claims, KnownBy, Policy, RefusalFormat, Revocations,
    TokenCache, VerifiedToken, Verifier,
};
use tower_jwks::{Algorithm, KeyRing, SigningKey};

/// RFC 8037 appendix A.1, which is secret here as any other would be.
const PRIVATE: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

const CUSTOM: &str = "a value of the configuration";
const OWN: &str = "a value of the program";
const CALLER: &str = "alice-in-the-token";

/// RFC 8410 section 7, around the private key.
fn signing_key() -> SigningKey {
    const PKCS8: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let der = [&PKCS8[..], &forge::decode(PRIVATE)].concat();
    let key = SigningKey::from_der(Algorithm::EdDSA, &der).unwrap();
    assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    key
}

fn backend_jwt() -> BackendJwtLayer {
    let policy = Policy::wso2()
        .algorithm(Algorithm::EdDSA)
        .custom_claim("tier", CUSTOM);
    BackendJwtLayer::new(KeyRing::new(signing_key()))
        .policy(policy)
        .unwrap()
        .claims(|_: &VerifiedToken, _: &http::request::Parts| {
            Ok(Claims::new().with("own", OWN).unwrap())
        })
        .clock(clock())
}

fn token() -> String {
    Token::of(key(Algorithm::ES256)).claim("sub", CALLER).sign()
}

fn good_with_secrets() -> Request<UnsyncBody> {
    let token = token();
    let verified = forge::verifier(key(Algorithm::ES256)).verify(&token);
    let mut request = good(UnsyncBody::new(""));
    let field = format!("Bearer {token}").try_into().unwrap();
    request.headers_mut().insert("authorization", field);
    request.extensions_mut().insert(verified.unwrap());
    request
}

fn secrets() -> Vec<String> {
    let private = forge::decode(PRIVATE);
    let mut hex = String::new();
    for byte in &private {
        write!(hex, "{byte:02x}").unwrap();
    }
    let list = format!("{private:?}");
    let mut secrets = vec![PRIVATE.to_owned(), hex.to_uppercase(), hex];
    secrets.push(list.trim_start_matches('[').to_owned());
    secrets.extend(token().split('.').map(str::to_owned));
    secrets.extend([OWN, CALLER, KNOWN].map(str::to_owned));
    secrets
}

/// All that can be seen of a layer, from when it is made until its response is there.
async fn shown<L>(layer: L) -> String
where
    L: Debug + Layer<Echo, Service: Debug + Clone + Service<Request<UnsyncBody>, Future: Debug>>,
{
    let mut text = format!("{layer:?}\n{layer:#?}\n");
    let service = layer.layer(Echo::new());
    write!(text, "{service:?}\n{service:#?}\n").unwrap();
    for request in [good_with_secrets(), answered(UnsyncBody::new(""))] {
        let mut service = service.clone();
        let Ok(ready) = service.ready().await else {
            panic!("an echo is always ready");
        };
        let future = ready.call(request);
        write!(text, "{future:?}\n{future:#?}\n").unwrap();
        let _ = future.await;
    }
    // The cache, if there is one, is filled now.
    write!(text, "{layer:?}").unwrap();
    text
}

#[tokio::test]
async fn no_layer_service_or_future_shows_a_secret() {
    let log = Capture::start();
    let all = ServiceBuilder::new()
        .layer(jwks())
        .layer(access_token())
        .layer(application())
        .layer(user_claims())
        .layer(backend_jwt())
        .layer(strip());
    for text in [
        shown(jwks()).await,
        shown(access_token().realm("orders").unwrap()).await,
        shown(backend_jwt()).await,
        shown(backend_jwt().refusal_format(RefusalFormat::Wso2)).await,
        shown(chosen()).await,
        shown(application()).await,
        shown(user_claims()).await,
        shown(strip()).await,
        shown(all).await,
    ] {
        assert!(text.len() > 100, "{text}");
        assert_without(&text, secrets());
    }
    assert!(log.text().contains("backend JWT signed"), "{}", log.text());
    assert_without(&log.text(), secrets());
}

#[tokio::test]
async fn the_value_of_a_configured_claim_is_not_shown_either() {
    assert_without(&shown(backend_jwt()).await, [CUSTOM]);
}

#[tokio::test]
async fn the_minted_jwt_is_in_a_field_that_hides_its_value() {
    let echo = Echo::new();
    let Ok(_) = backend_jwt()
        .layer(echo.clone())
        .oneshot(good_with_secrets())
        .await;
    let head = echo.last();
    let jwt = head.headers.get("x-jwt-assertion").unwrap();
    assert!(jwt.is_sensitive());
    assert!(!format!("{:?}", head.headers).contains(jwt.to_str().unwrap()));
    // It is there, with all that is to be hidden.
    let claims = forge::claims_of(jwt.to_str().unwrap()).to_string();
    for value in [CUSTOM, OWN, CALLER] {
        assert!(claims.contains(value), "{claims}");
    }
}

#[tokio::test]
async fn what_is_remembered_and_what_is_revoked_show_how_many_they_are() {
    let digest = tower_jwks::sha256(token().as_bytes());
    let list = format!("{digest:?}");
    let mut secrets = secrets();
    secrets.push(list.trim_start_matches('[').to_owned());
    secrets.extend([forge::encode(digest), "6b0f1f0c".to_owned()]);
    for known_by in [KnownBy::Text, KnownBy::Sha256] {
        let (tokens, revocations) = (TokenCache::default(), Revocations::with_clock(10, clock()));
        let issuer = forge::ISSUER;
        for (jti, subject) in [("6b0f1f0c-revoked", CALLER), ("other", "another")] {
            let now = tests::time::NOW;
            revocations.revoke_id(issuer, jti, now).unwrap();
            let before = now.saturating_sub(std::time::Duration::from_secs(1));
            let life = std::time::Duration::from_secs(1);
            revocations
                .revoke_subject(issuer, subject, before, life)
                .unwrap();
        }
        let builder = Verifier::builder()
            .issuer(forge::issuer(key(Algorithm::ES256)))
            .known_by(known_by)
            .revocations(revocations.clone())
            .clock(clock());
        let mut text = format!("{builder:?}\n");
        let verifier = builder.build().unwrap();
        let layer = AccessTokenLayer::new(verifier.clone()).token_cache(tokens.clone());
        let echo = Echo::new();
        text += &shown(layer.clone()).await;
        let Ok(_) = layer.layer(echo.clone()).oneshot(good_with_secrets()).await;
        let proof = echo
            .last()
            .extensions
            .get::<VerifiedToken>()
            .cloned()
            .unwrap();
        assert_eq!(proof.subject(), Some(CALLER));
        let status = tokens.status();
        assert!(status.entries > 0);
        write!(
            text,
            "{proof:?}\n{proof:#?}\n{tokens:?}\n{tokens:#?}\n{status:?}\n"
        )
        .unwrap();
        write!(
            text,
            "{revocations:?}\n{revocations:#?}\n{verifier:?}\n{verifier:#?}"
        )
        .unwrap();
        assert!(text.contains("misses") && text.contains("len: 4"), "{text}");
        assert!(text.contains(&format!("{known_by:?}")), "{text}");
        assert_without(&text, &secrets);
    }
}
