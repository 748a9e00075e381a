//! When a backend JWT is used again.

use super::*;
use tower_jwks::{Clock, MemoryStore};

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
    // From then on the next one is made in the background: `renewal` is about that.
    clock.advance(Duration::from_secs(119));
    assert_eq!(ask(&token).await, first);
    clock.advance(Duration::from_secs(31));
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
    for (entries, bytes) in [(2, 1 << 20), (1000, 20_000)] {
        let layer = minting().cache(entries, bytes);
        let service = ServiceBuilder::new()
            .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
            .layer(layer.clone())
            .service(service_fn(upstream));
        let (mut fullest, mut used_again) = (0, 0);
        for number in 0..64 {
            let token = signed(&json!({"sub": format!("u{number}")}));
            let first = send(&service, get_with(&token)).await.backend_jwt();
            let again = send(&service, get_with(&token)).await.backend_jwt();
            used_again += usize::from(again == first);
            let status = layer.cache_status().unwrap();
            assert!(status.entries <= entries, "{status:?}");
            assert!(status.bytes <= bytes, "{status:?}");
            // Each takes what it has of text, at least.
            let least = status.entries * (token.len() + first.len());
            assert!(status.bytes >= least as u64, "{status:?}");
            fullest = fullest.max(status.entries);
        }
        assert!((2..64).contains(&fullest), "{fullest}");
        assert!(used_again >= 2, "{used_again}");
    }
}

#[tokio::test]
async fn one_token_that_two_verifiers_read_in_two_ways_gives_two_jwts() {
    let plain = forge::verifier(key(ALGORITHM));
    let mapped = issuer_builder(key(ALGORITHM)).map_claim("tenant_user", "sub");
    let mapped = forge::verifier_of(mapped.build().unwrap());
    let layer = minting();
    let token = signed(&json!({"tenant_user": "bob"}));
    for _ in 0..2 {
        for (verifier, subject) in [(&plain, "alice"), (&mapped, "bob")] {
            let service = ServiceBuilder::new()
                .layer(AccessTokenLayer::new(verifier.clone()))
                .layer(layer.clone())
                .service(service_fn(upstream));
            let jwt = send(&service, get_with(&token)).await.backend_jwt();
            assert_eq!(claims_of(&jwt)["sub"], subject);
        }
    }
}

#[tokio::test]
async fn a_process_that_is_held_up_while_it_mints_signs_nothing_newer_than_its_key() {
    let clock = clock();
    let keys = KeyRing::open(MemoryStore::new())
        .algorithm(ALGORITHM)
        .clock(clock.clone())
        .await
        .unwrap();
    // It is held up for two hours when the time is asked for: by then the ring does not know its keys.
    let held_up = {
        let clock = clock.clone();
        move || {
            clock.advance(Duration::from_secs(7200));
            clock.now()
        }
    };
    let layer = BackendJwtLayer::new(keys).clock(held_up);
    let token = signed(&json!({"exp": NOW.as_secs() + 86_400}));
    let answer = ask(layer, get_with(&token)).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
}
