//! What the service behind is told, and what it never sees.

use http::{HeaderName, Request, StatusCode, request::Parts};
use serde_json::{Value, json};
use std::time::Duration;
use tests::{
    forge::{self, claims_of, header_of, issuer_builder},
    keys::{key, new_key, ring},
    openssl,
    time::{NOW, clock},
    upstream::{Answer, get, get_with, send, signed, upstream},
};
use tower::{ServiceBuilder, service_fn};
use tower_backend_jwt::{
    AccessTokenLayer, Api, Application, BackendJwtLayer, ClaimType, Claims, CopiedClaims,
    CustomClaim, Policy, Refusal, RefusalReason, VerifiedToken, Verifier,
};
use tower_jwks::{Algorithm, KeyRing, ManualClock};

const ALGORITHM: Algorithm = Algorithm::EdDSA;
const P: &str = "http://wso2.org/claims/";

fn minting() -> BackendJwtLayer {
    BackendJwtLayer::new(ring(ALGORITHM))
        .clock(clock())
        .api(Api::new("Orders", "1.0.0").base_path("/shop/orders"))
}

async fn ask(layer: BackendJwtLayer, request: Request<()>) -> Answer {
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))).optional())
        .layer(layer)
        .service(service_fn(upstream));
    send(&service, request).await
}

/// The claims of the backend JWT for a token with these changes.
async fn minted(layer: BackendJwtLayer, changes: Value) -> Value {
    claims_of(&ask(layer, get_with(&signed(&changes))).await.backend_jwt())
}

fn with_policy(policy: Policy) -> BackendJwtLayer {
    minting().policy(policy).unwrap()
}

#[tokio::test]
async fn the_gateway_says_who_calls_which_api() {
    let jwt = ask(minting(), get_with(&signed(&json!({}))))
        .await
        .backend_jwt();
    let keys = ring(ALGORITHM);
    let kid = keys.signing_key().unwrap().kid().to_owned();
    assert_eq!(
        header_of(&jwt),
        json!({"typ": "JWT", "alg": "EdDSA", "kid": kid})
    );

    let mut claims = claims_of(&jwt);
    let jti = claims["jti"].take();
    let jti = jti.as_str().unwrap();
    assert_eq!(
        (jti.len(), jti.as_bytes()[14]),
        (36, b'4'),
        "a random UUID: {jti}"
    );
    assert_ne!(jti, "6b0f1f0c", "not the access token's");
    let expected = json!({
        "iss": "wso2.org/products/am",
        "sub": "alice",
        "iat": NOW.as_secs(),
        "exp": NOW.as_secs() + 600,
        "jti": null,
        "http://wso2.org/claims/apiname": "Orders",
        "http://wso2.org/claims/version": "1.0.0",
        "http://wso2.org/claims/apicontext": "/shop/orders/1.0.0",
        "http://wso2.org/claims/keytype": "PRODUCTION",
        "http://wso2.org/claims/usertype": "Application_User",
        "http://wso2.org/claims/enduserTenantId": "0",
        "client_id": "shop",
        "scope": "orders:read orders:write",
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn an_application_in_the_extensions_is_named() {
    let application = Application::new("7", "jwtTest2")
        .uuid("45101ccb")
        .subscriber("5f4a7105")
        .tier("Gold")
        .application_tier("Unlimited")
        .attribute("region", "eu")
        .attribute("empty", "");
    let mut request = get_with(&signed(&json!({})));
    request.extensions_mut().insert(application);
    let claims = claims_of(&ask(minting(), request).await.backend_jwt());
    for (name, value) in [
        ("applicationid", json!("7")),
        ("applicationUUId", json!("45101ccb")),
        ("applicationname", json!("jwtTest2")),
        ("subscriber", json!("5f4a7105")),
        ("tier", json!("Gold")),
        ("applicationtier", json!("Unlimited")),
        (
            "applicationAttributes",
            json!({"empty": "", "region": "eu"}),
        ),
    ] {
        assert_eq!(claims[format!("{P}{name}")], value, "{name}");
    }
}

#[tokio::test]
async fn an_access_token_cannot_claim_what_the_gateway_claims() {
    let policy = || Policy::wso2().custom_claim("region", "eu");
    let mut changes = json!({
        "region": "moon", "nbf": 1, "cnf": null, "application": {"id": 1}, "tierInfo": {},
        "subscribedAPIs": [], "aut": "x", "org": {"deep": [1, {"a": 1.50}]},
        "http://wso2.org/claims/role": "kept",
    });
    for name in [
        "subscriber",
        "tier",
        "enduser",
        "apiname",
        "applicationid",
        "usertype",
    ] {
        changes[format!("{P}{name}")] = json!("forged");
    }
    let claims = minted(with_policy(policy()), changes).await;
    assert_eq!(claims["region"], "eu");
    assert_eq!(claims[format!("{P}apiname")], "Orders");
    assert_eq!(claims[format!("{P}usertype")], "Application_User");
    for name in ["subscriber", "tier", "enduser", "applicationid"] {
        assert!(claims.get(format!("{P}{name}")).is_none(), "{name}");
    }
    for name in [
        "aud",
        "nbf",
        "application",
        "tierInfo",
        "subscribedAPIs",
        "aut",
    ] {
        assert!(claims.get(name).is_none(), "{name}");
    }
    assert_eq!(claims["org"], json!({"deep": [1, {"a": 1.5}]}));
    assert_eq!(claims["http://wso2.org/claims/role"], "kept");
    assert!(!claims.to_string().contains("forged"));
}

#[tokio::test]
async fn claims_are_copied_as_they_were_written() {
    let text = forge::claims().to_string();
    let odd = r#""n":1.50,"big":123456789012345678901234567890,"e":1e2,"s":"\u0041\/","o":{"b":1,"a":[]}"#;
    let text = format!("{},{odd}}}", text.trim_end_matches('}'));
    let token = forge::Token::of(key(ALGORITHM)).claims_text(text).sign();
    let jwt = ask(with_policy(Policy::wso2()), get_with(&token))
        .await
        .backend_jwt();
    let claims = String::from_utf8(forge::decode(jwt.split('.').nth(1).unwrap())).unwrap();
    assert!(claims.ends_with(&format!("{odd}}}")), "{claims}");
}

#[tokio::test]
async fn what_is_copied_is_chosen() {
    let changes = || json!({"email": "a@example.com", "secret": "s", "nothing": null});
    let names = async |copied| {
        let claims = minted(
            with_policy(Policy::default().copied_claims(copied)),
            changes(),
        )
        .await;
        ["client_id", "scope", "email", "secret"].map(|name| claims.get(name).is_some())
    };
    assert_eq!(names(CopiedClaims::none()).await, [false; 4]);
    assert_eq!(
        names(CopiedClaims::listed(["email", "absent"])).await,
        [false, false, true, false]
    );
    assert_eq!(names(CopiedClaims::all()).await, [true; 4]);
    assert_eq!(
        names(CopiedClaims::all_but(["secret"])).await,
        [true, true, true, false]
    );
    let claims = minted(minting(), changes()).await;
    assert!(claims.get("email").is_some() && claims.get("secret").is_none());
}

#[tokio::test]
async fn configured_claims_have_their_types() {
    let policy = Policy::default()
        .custom_claim("s", "text")
        .custom_claim("i", -7)
        .custom_claim("l", i64::MAX)
        .custom_claim("f", CustomClaim::try_from(1.5).unwrap())
        .custom_claim("b", true)
        .custom_claim(
            "d",
            CustomClaim::parse(ClaimType::Date, "2026-01-31").unwrap(),
        );
    let claims = minted(with_policy(policy), json!({})).await;
    for (name, value) in [
        ("s", json!("text")),
        ("i", json!(-7)),
        ("l", json!(i64::MAX)),
        ("f", json!(1.5)),
        ("b", json!(true)),
        ("d", json!("2026-01-31")),
    ] {
        assert_eq!(claims[name], value);
    }
}

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

#[tokio::test]
async fn the_users_own_claims_are_added_and_overwrite_nothing() {
    let layer = minting().claims(|token: &VerifiedToken, request: &Parts| {
        let claims = Claims::new()
            .with("who", token.subject())
            .and_then(|claims| claims.with("path", request.uri.path()))
            .and_then(|claims| claims.with("scope", ["narrowed"]));
        claims.map_err(|error| Refusal::forbidden().with_detail(error.to_string()))
    });
    let claims = minted(layer, json!({})).await;
    assert_eq!(claims["who"], "alice");
    assert_eq!(claims["path"], "/orders");
    assert_eq!(
        claims["scope"],
        json!(["narrowed"]),
        "it wins over the copied one"
    );

    for name in ["exp", "iss", "http://wso2.org/claims/tier", "region"] {
        let layer = with_policy(Policy::default().custom_claim("region", "eu"))
            .claims(move |_: &VerifiedToken, _: &Parts| Ok(Claims::new().with(name, 1).unwrap()));
        let answer = ask(layer, get_with(&signed(&json!({})))).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{name}");
        let refusal = answer.head.extensions.get::<Refusal>().unwrap();
        assert_eq!(refusal.reason(), RefusalReason::UnusableClaims);
        assert!(refusal.to_string().contains(name));
    }
    let layer =
        minting().claims(|_: &VerifiedToken, _: &Parts| Err::<Claims, _>(Refusal::forbidden()));
    assert_eq!(
        ask(layer, get_with(&signed(&json!({})))).await.status(),
        StatusCode::FORBIDDEN
    );
    assert!(Claims::new().with("a", 1).unwrap().with("a", 2).is_err());
}

#[tokio::test]
async fn a_policy_that_cannot_be_kept_is_an_error_when_the_layer_takes_it() {
    let field = |policy: Policy| minting().policy(policy).unwrap_err().to_string();
    for (policy, text) in [
        (
            Policy::default().algorithm(Algorithm::RS256),
            "algorithm: is RS256, but the key signs with EdDSA",
        ),
        (Policy::default().ttl(Duration::from_millis(999)), "ttl: "),
        (Policy::default().issuer(""), "issuer: "),
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
    let set = tower_jwks::JwkSet::parse(keys.published().json()).unwrap();
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
async fn the_same_token_gives_the_same_jwt_until_half_of_its_time_is_gone() {
    let clock = clock();
    let verifier = Verifier::builder()
        .issuer(forge::issuer(key(ALGORITHM)))
        .clock(clock.clone())
        .build()
        .unwrap();
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(verifier))
        .layer(
            minting()
                .clock(clock.clone())
                .policy(Policy::default().ttl(Duration::from_secs(300)))
                .unwrap(),
        )
        .service(service_fn(upstream));
    let (token, other) = (signed(&json!({})), signed(&json!({"sub": "bob"})));
    let ask = async |token: &str| send(&service, get_with(token)).await.backend_jwt();

    let first = ask(&token).await;
    assert_eq!(ask(&token).await, first);
    assert_ne!(ask(&other).await, first);
    clock.advance(Duration::from_secs(149));
    assert_eq!(ask(&token).await, first);
    clock.advance(Duration::from_secs(1));
    let second = ask(&token).await;
    assert_ne!(second, first);
    assert_eq!(claims_of(&second)["iat"], NOW.as_secs() + 150);
    // A clock that goes back hands out nothing that was issued in the future.
    clock.set(NOW);
    assert_eq!(claims_of(&ask(&token).await)["iat"], NOW.as_secs());
}

#[tokio::test]
async fn what_a_jwt_is_made_from_decides_whether_it_is_used_again() {
    let layer = minting().claims(|_: &VerifiedToken, request: &Parts| {
        Ok(Claims::new()
            .with("tenant", request.headers["tenant"].to_str().unwrap())
            .unwrap())
    });
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .layer(layer)
        .service(service_fn(upstream));
    let ask = async |tenant: &str, application: Option<&str>| {
        let mut request = get_with(&signed(&json!({})));
        request
            .headers_mut()
            .insert("tenant", tenant.parse().unwrap());
        if let Some(name) = application {
            request.extensions_mut().insert(Application::new("1", name));
        }
        send(&service, request).await.backend_jwt()
    };
    let first = ask("a", None).await;
    assert_eq!(ask("a", None).await, first);
    for (tenant, application) in [("b", None), ("a", Some("x")), ("a", Some("y"))] {
        let other = ask(tenant, application).await;
        assert_ne!(other, first);
        assert_eq!(ask(tenant, application).await, other);
        assert_eq!(claims_of(&other)["tenant"], tenant);
    }
    let uncached = minting().no_cache();
    let token = signed(&json!({}));
    let one = ask_twice(uncached, &token).await;
    assert_ne!(one.0, one.1);
}

async fn ask_twice(layer: BackendJwtLayer, token: &str) -> (String, String) {
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .layer(layer)
        .service(service_fn(upstream));
    let first = send(&service, get_with(token)).await.backend_jwt();
    (first, send(&service, get_with(token)).await.backend_jwt())
}

#[tokio::test]
async fn the_cache_is_bounded_in_entries_and_in_bytes() {
    for layer in [minting().cache(2, 1 << 20), minting().cache(1000, 20_000)] {
        let service = ServiceBuilder::new()
            .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
            .layer(layer)
            .service(service_fn(upstream));
        let tokens: Vec<String> = (0..64)
            .map(|n| signed(&json!({"sub": format!("u{n}")})))
            .collect();
        let mut first = Vec::new();
        for token in &tokens {
            first.push(send(&service, get_with(token)).await.backend_jwt());
        }
        let mut again = 0;
        for (token, first) in tokens.iter().zip(&first) {
            again += usize::from(send(&service, get_with(token)).await.backend_jwt() == *first);
        }
        assert!(again < 32, "{again} of 64 were kept");
    }
}

#[tokio::test]
async fn a_field_that_the_caller_sends_never_arrives() {
    let token = format!("Bearer {}", signed(&json!({})));
    for authorization in [Some(token.as_str()), None] {
        let mut request = get(&[
            ("x-jwt-assertion", "forged"),
            ("x_jwt_assertion", "forged"),
            ("x-jwt_assertion", "forged"),
            ("x.jwt.assertion", "forged"),
            ("connection", "close, X-JWT-Assertion"),
            ("x-other", "kept"),
        ]);
        #[allow(clippy::disallowed_methods)] // a second field is what is tested
        request
            .headers_mut()
            .append("x-jwt-assertion", "forged again".parse().unwrap());
        if let Some(value) = authorization {
            request
                .headers_mut()
                .insert("authorization", value.parse().unwrap());
        }
        let answer = ask(minting(), request).await;
        let seen = answer.json()["headers"].to_string();
        assert!(!seen.contains("forged"), "{seen}");
        assert_eq!(
            answer.seen("x-jwt-assertion").len(),
            usize::from(authorization.is_some())
        );
        assert_eq!(answer.seen("connection"), ["close"]);
        assert_eq!(answer.seen("x-other"), ["kept"]);
    }
}

#[tokio::test]
async fn the_caller_never_gets_the_backend_jwt_back() {
    let answer = ask(minting(), get_with(&signed(&json!({})))).await;
    assert_eq!(answer.seen("x-jwt-assertion").len(), 1);
    assert_eq!(answer.field("x-jwt-assertion"), None);
}

#[tokio::test]
async fn the_access_token_goes_no_further_unless_that_is_chosen() {
    let request = || get_with(&signed(&json!({})));
    let layer = AccessTokenLayer::new(forge::verifier(key(ALGORITHM)));
    let seen = async |layer: AccessTokenLayer| {
        let service = ServiceBuilder::new()
            .layer(layer)
            .layer(minting())
            .service_fn(upstream);
        send(&service, request()).await.seen("authorization")
    };
    assert!(seen(layer.clone()).await.is_empty());
    assert_eq!(seen(layer.forward_token()).await.len(), 1);
    let jwt = ask(minting(), request()).await.backend_jwt();
    let token = signed(&json!({}));
    assert!(!claims_of(&jwt).to_string().contains(&token));
}

#[tokio::test]
async fn an_anonymous_caller_is_not_made_a_user() {
    let answer = ask(minting(), get(&[])).await;
    assert!(answer.seen("x-jwt-assertion").is_empty());
}

#[tokio::test]
async fn the_field_has_the_name_the_policy_gives_it() {
    let header = HeaderName::from_static("x-goog-iap-jwt-assertion");
    let layer = with_policy(Policy::default().header(header));
    let answer = ask(layer, get_with(&signed(&json!({})))).await;
    assert_eq!(answer.seen("x-goog-iap-jwt-assertion").len(), 1);
    assert!(answer.seen("x-jwt-assertion").is_empty());
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

#[tokio::test]
async fn another_spelling_of_the_tokens_field_goes_no_further_either() {
    let name = HeaderName::from_static("custom-jwt");
    let layer = AccessTokenLayer::new(forge::verifier(key(ALGORITHM)))
        .header(name)
        .scheme(tower_backend_jwt::Scheme::Bare);
    for (layer, count) in [(layer.clone(), 0), (layer.forward_token(), 1)] {
        let service = ServiceBuilder::new()
            .layer(layer)
            .service(service_fn(upstream));
        let token = signed(&json!({}));
        let request = get(&[("custom-jwt", &token), ("custom_jwt", "forged")]);
        let answer = send(&service, request).await;
        assert_eq!(answer.seen("custom-jwt").len(), count);
        assert!(answer.seen("custom_jwt").is_empty());
    }
}
