//! No token outlives what its ring keeps a key for.

use super::*;
use serde_json::json;
use tests::{
    forge::{self, claims_of},
    keys::{self, key},
    upstream::{get_with, signed, upstream},
};
use tower::{ServiceBuilder, service_fn};
use tower_backend_jwt::{AccessTokenLayer, Api, BackendJwtLayer, Policy, PolicySet};

const TOO_LONG: &str =
    "ttl: is 901 seconds, but the keys are kept for tokens of at most 900 seconds";

fn ttl(seconds: u64) -> Policy {
    Policy::default().ttl(secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn a_policy_with_a_longer_life_is_refused() {
    let ring = open(MemoryStore::new(), &clock()).await;
    let layer = || BackendJwtLayer::new(ring.clone());
    let error = layer().policy(ttl(TOKEN_LIFE + 1)).unwrap_err();
    assert_eq!(error.to_string(), TOO_LONG);
    assert!(layer().policy(ttl(TOKEN_LIFE)).is_ok());

    let policies = PolicySet::new(ring.clone());
    let api = || Api::new("a", "1");
    let error = policies.set("a", ttl(TOKEN_LIFE + 1), api()).unwrap_err();
    assert_eq!(error.to_string(), format!("a.{TOO_LONG}"));
    let both = [
        ("a", ttl(TOKEN_LIFE), api()),
        ("b", ttl(TOKEN_LIFE + 1), api()),
    ];
    let error = policies.replace(both).unwrap_err();
    assert_eq!(error.to_string(), format!("b.{TOO_LONG}"));
    assert!(policies.names().is_empty(), "all or none");
    policies.set("a", ttl(TOKEN_LIFE), api()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_a_policy_a_jwt_lives_as_long_as_the_ring_lets_it() {
    let clock = clock();
    let life = async |keys: KeyRing| {
        let service = ServiceBuilder::new()
            .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
            .layer(BackendJwtLayer::new(keys).clock(clock.clone()))
            .service(service_fn(upstream));
        let end = after(NOW, INTERVAL).as_secs();
        let token = signed(&json!({ "exp": end }));
        let claims = claims_of(&send(&service, get_with(&token)).await.backend_jwt());
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap()
    };
    let ring = open(MemoryStore::new(), &clock).await;
    assert_eq!(life(ring).await, TOKEN_LIFE);
    assert_eq!(life(keys::ring(ALGORITHM)).await, 3600);
}

#[tokio::test(start_paused = true)]
async fn keys_that_stay_as_they_are_bound_no_life() {
    assert_eq!(keys::ring(ALGORITHM).token_life(), None);
    let ring = open(MemoryStore::new(), &clock()).await;
    assert_eq!(ring.token_life(), Some(secs(TOKEN_LIFE)));
}
