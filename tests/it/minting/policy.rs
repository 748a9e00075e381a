//! What a policy asks for, and how long a backend JWT lives.

use super::*;
use tower_backend_jwt::PolicySet;
use tower_jwks::{MemoryStore, RotationPolicy};

#[tokio::test]
async fn a_policy_sets_issuer_audience_dialect_type_and_enduser() {
    let base = || {
        Policy::default()
            .issuer("https://gateway.example.com")
            .typ("backend+jwt")
    };
    let jwt = ask(
        with_policy(
            base()
                .audience("billing")
                .dialect("https://claims.example.com/")
                .enduser(),
        ),
        get_with(&signed(&json!({}))),
    )
    .await
    .backend_jwt();
    assert_eq!(header_of(&jwt)["typ"], "backend+jwt");
    let claims = claims_of(&jwt);
    assert_eq!(claims["iss"], "https://gateway.example.com");
    assert_eq!(claims["aud"], "billing");
    assert_eq!(claims["https://claims.example.com/apiname"], "Orders");
    assert_eq!(claims["https://claims.example.com/enduser"], "alice");
    let claims = minted(
        with_policy(base().audience("a").audience("b").dialect("")),
        json!({}),
    )
    .await;
    assert_eq!(claims["aud"], json!(["a", "b"]));
    assert_eq!(claims["apiname"], "Orders");
}

#[test]
fn a_policy_that_cannot_be_kept_is_an_error_when_the_layer_takes_it() {
    let field = |policy: Policy| minting().policy(policy).unwrap_err().to_string();
    for (policy, text) in [
        (
            Policy::default().algorithm(Algorithm::RS256),
            "algorithm: is RS256, but the key signs with EdDSA",
        ),
        (Policy::default().ttl(Duration::from_millis(999)), "ttl: "),
        (Policy::default().issuer(""), "issuer: "),
        (Policy::default().audience(""), "audience: "),
        (Policy::default().typ(""), "typ: "),
        (Policy::default().max_bytes(0), "max_bytes: "),
        (Policy::default().custom_claim("", "x"), "custom claim: "),
        (
            Policy::default().custom_claim("exp", 1),
            "custom claim: \"exp\"",
        ),
        (
            Policy::default().custom_claim("http://wso2.org/claims/tier", "x"),
            "custom claim: ",
        ),
        (
            Policy::default().custom_claim("a", 1).custom_claim("a", 2),
            "custom claim.a: ",
        ),
        (
            Policy::default().copied_claims(CopiedClaims::listed(["aud"])),
            "copied claims: \"aud\"",
        ),
        (
            Policy::default().header(http::header::CONNECTION),
            "header: ",
        ),
        (Policy::default().header(http::header::HOST), "header: "),
        (
            Policy::default().header(http::header::FORWARDED),
            "header: ",
        ),
        (Policy::default().header(http::header::EXPECT), "header: "),
        (Policy::default().typ("at+jwt"), "typ: "),
        (Policy::default().typ("Application/AT+JWT"), "typ: "),
    ] {
        assert!(field(policy).starts_with(text), "{text}");
    }
    assert!(
        minting()
            .policy(Policy::default().algorithm(ALGORITHM))
            .is_ok()
    );
}

#[tokio::test]
async fn a_backend_jwt_lives_no_longer_than_its_source_and_is_not_made_from_an_expired_one() {
    let now = NOW.as_secs();
    let exp = async |changes| minted(minting(), changes).await["exp"].as_u64().unwrap();
    assert_eq!(exp(json!({"exp": now + 10_000})).await, now + 3600);
    assert_eq!(exp(json!({"exp": now + 5})).await, now + 5);
    // Within the leeway of the check, and yet expired.
    let expired = signed(&json!({"exp": now - 1, "iat": now - 100}));
    assert!(forge::verifier(key(ALGORITHM)).verify(&expired).is_ok());
    let answer = ask(minting(), get_with(&expired)).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.head.extensions.get::<Refusal>().unwrap().reason(),
        RefusalReason::Expired
    );
}

#[tokio::test]
async fn a_backend_jwt_is_no_access_token_whoever_is_trusted() {
    // The gateway is so badly configured that it trusts its own keys and its own name.
    let keys = KeyRing::new(new_key(ALGORITHM));
    let set = tower_jwks::JwkSet::parse(keys.published().unwrap().json()).unwrap();
    let own = tower_backend_jwt::Issuer::from_jwks("wso2.org/products/am", set)
        .dangerous_accept_any_audience()
        .build()
        .unwrap();
    let verifier = Verifier::builder()
        .issuer(forge::issuer(key(ALGORITHM)))
        .issuer(own)
        .clock(clock())
        .build()
        .unwrap();
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(verifier))
        .layer(BackendJwtLayer::new(keys).clock(clock()))
        .service(service_fn(upstream));
    let jwt = send(&service, get_with(&signed(&json!({}))))
        .await
        .backend_jwt();
    let answer = send(&service, get_with(&jwt)).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.head.extensions.get::<Refusal>().unwrap().reason(),
        RefusalReason::SelfIssued
    );
}

#[tokio::test]
async fn a_backend_jwt_that_is_too_long_is_not_sent() {
    let long = json!({"email": "x".repeat(8000)});
    let answer = ask(minting(), get_with(&signed(&long))).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let refusal = answer.head.extensions.get::<Refusal>().unwrap();
    assert_eq!(refusal.reason(), RefusalReason::BackendJwtTooLong);
    let answer = ask(
        with_policy(Policy::default().max_bytes(16 * 1024)),
        get_with(&signed(&long)),
    );
    assert!(answer.await.backend_jwt().len() > 8192);
}

#[tokio::test]
async fn a_key_whose_certificate_ends_signs_nothing_that_lasts_longer() {
    if !openssl::is_there() {
        return;
    }
    let pem = openssl::ed25519();
    let certificate = openssl::text("req -x509 -key /dev/stdin -subj /CN=gateway -days 1", &pem);
    let signing = tower_jwks::SigningKey::from_pem(ALGORITHM, pem)
        .and_then(|key| key.with_certificate_pem(certificate))
        .unwrap();
    let end = signing.not_after().unwrap();
    let before = ManualClock::new(end.saturating_sub(Duration::from_secs(100)));
    let verifier = |clock: ManualClock| {
        let issuer = issuer_builder(key(ALGORITHM)).build().unwrap();
        Verifier::builder()
            .issuer(issuer)
            .clock(clock)
            .build()
            .unwrap()
    };
    let keys = KeyRing::new(signing);
    let token = signed(&json!({"exp": end.as_secs() + 5000}));
    let ask = async |clock: ManualClock| {
        let service = ServiceBuilder::new()
            .layer(AccessTokenLayer::new(verifier(clock.clone())))
            .layer(BackendJwtLayer::new(keys.clone()).clock(clock))
            .service(service_fn(upstream));
        send(&service, get_with(&token)).await
    };
    assert_eq!(
        claims_of(&ask(before).await.backend_jwt())["exp"],
        end.as_secs()
    );
    let answer = ask(ManualClock::new(end)).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[test]
fn a_field_that_means_something_else_is_refused() {
    for name in [
        "cache-control",
        "vary",
        "location",
        "www-authenticate",
        "access-control-allow-origin",
        "content-security-policy",
        "strict-transport-security",
        "accept",
        "if-match",
        "sec-fetch-site",
        "traceparent",
        "via",
        "grpc-status",
        "user-agent",
        "set-cookie",
        "x-content-type-options",
        // The layer takes each of them for the field itself.
        "set_cookie",
        "content_type",
        "grpc.status",
    ] {
        let policy = Policy::default().header(HeaderName::from_static(name));
        let error = minting().policy(policy).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    for name in [
        "authorization",
        "x-jwt-assertion",
        "cf-access-jwt-assertion",
        "x-amzn-oidc-data",
    ] {
        let policy = Policy::default().header(HeaderName::from_static(name));
        assert!(minting().policy(policy).is_ok(), "{name}");
    }
}

#[tokio::test]
async fn what_wso2s_dialect_says_nobody_else_says_in_any_dialect() {
    let subscriber = format!("{P}subscriber");
    for policy in [
        Policy::wso2(),
        Policy::wso2().dialect("x"),
        Policy::wso2().no_dialect(),
    ] {
        let claims = minted(
            with_policy(policy.clone()),
            json!({subscriber.clone(): "mallory"}),
        )
        .await;
        assert_eq!(claims.get(&subscriber), None);
        let error = minting()
            .policy(policy.custom_claim(subscriber.clone(), "x"))
            .unwrap_err();
        assert!(error.to_string().contains("subscriber"), "{error}");
    }
}

#[tokio::test]
async fn no_jwt_lives_longer_than_the_ring_keeps_a_key_for_it() {
    let quarter = Duration::from_secs(900);
    let policy = RotationPolicy::builder().token_life(quarter).build();
    let keys = KeyRing::open(MemoryStore::new())
        .algorithm(ALGORITHM)
        .policy(policy.unwrap())
        .clock(clock())
        .await
        .unwrap();
    let layer = || BackendJwtLayer::new(keys.clone()).clock(clock());
    let life = |claims: Value| claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    let end = json!({"exp": NOW.as_secs() + 7200});

    // Who has not asked for more gets what there is.
    assert_eq!(life(minted(layer(), end.clone()).await), 900);
    let named = layer().policy(Policy::default().issuer("a")).unwrap();
    assert_eq!(life(minted(named, end.clone()).await), 900);
    let short = Policy::default().ttl(Duration::from_secs(60));
    assert_eq!(life(minted(layer().policy(short).unwrap(), end).await), 60);

    let long = Policy::default().ttl(quarter + Duration::from_secs(1));
    let error = layer().policy(long.clone()).unwrap_err().to_string();
    assert_eq!(
        error,
        "ttl: is 901 seconds, but the keys are kept for tokens of at most 900 seconds"
    );
    let set = PolicySet::new(keys.clone());
    let error = set.set("orders", long, Api::new("Orders", "1.0.0"));
    assert!(
        error
            .unwrap_err()
            .to_string()
            .starts_with("orders.ttl: is 901")
    );
}
