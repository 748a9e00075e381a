//! No token, no key and no claim's value is where it could be read later.

use http::Request;
use serde_json::json;
use std::time::Duration;
use tests::{
    capture::{Capture, assert_without},
    forge::{self, Token},
    keys::{key, new_key},
    time::clock,
    upstream::{get, get_with, send, signed, upstream},
};
use tower::{Layer, ServiceBuilder, service_fn};
use tower_backend_jwt::{
    AccessTokenLayer, BackendJwtLayer, KnownBy, Policy, Refusal, Revocations, StripHeaderLayer,
    Verifier,
};
use tower_jwks::{Algorithm, JwksLayer, KeyRing};

/// Claims whose values would be known again anywhere.
fn telling() -> serde_json::Value {
    json!({"sub": "telling-subject", "email": "telling-email", "scope": "telling-scope"})
}

const VALUES: [&str; 3] = ["telling-subject", "telling-email", "telling-scope"];

/// Each part of a token is a secret by itself.
fn parts(token: &str) -> Vec<String> {
    token
        .split('.')
        .map(str::to_owned)
        .filter(|part| part.len() > 8)
        .collect()
}

#[tokio::test]
async fn events_hold_a_reason_and_nothing_of_the_request() {
    let events = Capture::start();
    let keys = KeyRing::new(new_key(Algorithm::EdDSA));
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(
            Algorithm::EdDSA,
        ))))
        .layer(
            BackendJwtLayer::new(keys)
                .clock(clock())
                .policy(Policy::default().custom_claim("c", "telling-custom"))
                .unwrap(),
        )
        .service(service_fn(upstream));
    let good = signed(&telling());
    let minted = send(&service, get_with(&good)).await.backend_jwt();
    let forged = format!("{}AAAA", &good[..good.len() - 4]);
    let expired = signed(&json!({"sub": "telling-subject", "exp": 1, "iat": 0}));
    let stranger = signed(&json!({"iss": "https://telling-issuer.example.com"}));
    let odd_kid = Token::of(key(Algorithm::EdDSA))
        .header("kid", "telling-kid\r\nx")
        .sign();
    let mut secrets = Vec::new();
    for token in [&good, &forged, &expired, &stranger, &odd_kid] {
        send(&service, get_with(token)).await;
        secrets.extend(parts(token));
    }
    for value in [
        "Bearer telling-garbage",
        "Bearer a, Bearer telling-list",
        "telling-scheme x",
    ] {
        send(&service, get(&[("authorization", value)])).await;
    }
    secrets.extend(parts(&minted));
    let text = events.text();
    for reason in [
        "expired",
        "unknown_issuer",
        "unknown_key",
        "malformed_request",
        "signed",
    ] {
        assert!(text.contains(reason), "{reason} is told: {text}");
    }
    // The header segment is the same for all tokens of a key, and no secret; it is not there either.
    assert_without(&text, secrets);
    assert_without(&text, VALUES);
    assert!(!text.contains("telling"), "{text}");
}

#[tokio::test]
async fn events_about_remembered_tokens_hold_nothing_of_them_either() {
    for known_by in [KnownBy::Text, KnownBy::Sha256] {
        let events = Capture::start();
        let clock = clock();
        let revocations = Revocations::with_clock(10, clock.clone());
        let verifier = Verifier::builder()
            .issuer(forge::issuer(key(Algorithm::EdDSA)))
            .known_by(known_by)
            .revocations(revocations.clone())
            .clock(clock.clone());
        let service = ServiceBuilder::new()
            .layer(AccessTokenLayer::new(verifier.build().unwrap()))
            .layer(
                BackendJwtLayer::new(KeyRing::new(new_key(Algorithm::EdDSA))).clock(clock.clone()),
            )
            .service(service_fn(upstream));
        let mut claims = telling();
        claims["jti"] = json!("telling-id");
        let (token, other) = (signed(&claims), signed(&telling()));
        let mut secrets = parts(&token);
        secrets.extend(parts(&other));
        for token in [&token, &token, &other] {
            secrets.extend(parts(&send(&service, get_with(token)).await.backend_jwt()));
        }
        // One is revoked, the other expires: both are remembered until then.
        let end = tests::time::NOW.saturating_add(Duration::from_secs(660));
        revocations
            .revoke_id(forge::ISSUER, "telling-id", end)
            .unwrap();
        assert_eq!(send(&service, get_with(&token)).await.status(), 401);
        clock.set(end);
        assert_eq!(send(&service, get_with(&other)).await.status(), 401);
        let text = events.text();
        for reason in ["revoked", "expired", "signed"] {
            assert!(text.contains(reason), "{reason} is told: {text}");
        }
        assert_without(&text, secrets);
        assert!(!text.contains("telling"), "{text}");
    }
}

#[tokio::test]
async fn refusals_hold_nothing_of_the_token() {
    let layer = AccessTokenLayer::new(forge::verifier(key(Algorithm::EdDSA)));
    let service = layer.layer(service_fn(upstream));
    for token in [
        signed(&json!({"sub": "telling", "exp": 1, "iat": 0})),
        signed(&json!({"aud": "telling"})),
        signed(&json!({"iss": "telling"})),
        signed(&json!({"exp": "telling"})),
        Token::of(key(Algorithm::EdDSA))
            .header("typ", "telling")
            .sign(),
        Token::of(key(Algorithm::EdDSA))
            .header("kid", "telling")
            .sign(),
        Token::of(key(Algorithm::EdDSA))
            .header("alg", "telling")
            .sign(),
    ] {
        let answer = send(&service, get_with(&token)).await;
        let refusal = answer.head.extensions.get::<Refusal>().unwrap();
        let told = format!(
            "{refusal} {refusal:?} {:?} {:?}",
            answer.head.headers, answer.body
        );
        assert!(!told.contains("telling"), "{told}");
        assert_without(&told, parts(&token));
    }
}

#[tokio::test]
async fn debug_of_everything_that_lives_in_a_request_shows_no_secret() {
    let token = signed(&telling());
    let verified = forge::verifier(key(Algorithm::EdDSA))
        .verify(&token)
        .unwrap();
    let shown = format!("{verified:?} {verified:#?}");
    assert_without(&shown, parts(&token));
    assert_without(&shown, VALUES);

    // The backend JWT in the field is sensitive: a layer that logs fields does not show it.
    let keys = KeyRing::new(new_key(Algorithm::EdDSA));
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(
            Algorithm::EdDSA,
        ))))
        .layer(BackendJwtLayer::new(keys).clock(clock()))
        .service(service_fn(async |request: Request<()>| {
            let shown = format!("{:?}", request.headers()["x-jwt-assertion"]);
            Ok::<_, std::convert::Infallible>(http::Response::new(http_body_util::Full::new(
                bytes::Bytes::from(shown),
            )))
        }));
    assert_eq!(send(&service, get_with(&token)).await.body, "Sensitive");
}

#[test]
fn debug_of_layers_and_services_shows_no_secret_and_says_what_is_configured() {
    let keys = KeyRing::new(new_key(Algorithm::EdDSA));
    let jwks = JwksLayer::new(keys.clone())
        .rate_limit(5, Duration::from_secs(1))
        .unwrap();
    let access = AccessTokenLayer::new(forge::verifier(key(Algorithm::EdDSA)));
    let backend = BackendJwtLayer::new(keys);
    let strip = StripHeaderLayer::new(http::HeaderName::from_static("x-jwt-assertion"));
    let shown = [
        format!("{jwks:?} {:?}", jwks.layer(())),
        format!("{access:?} {:?}", access.layer(())),
        format!("{backend:?} {:?}", backend.layer(())),
        format!("{strip:?} {:?}", strip.layer(())),
    ];
    assert!(shown[0].contains("/.wellknown/jwks"));
    assert!(shown[1].contains("https://idp.example.com"));
    assert!(shown[2].contains("x-jwt-assertion"));
}
