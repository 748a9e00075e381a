//! Backend JWTs that were made before: none is handed out once its key no longer signs.

use super::*;
use serde_json::json;
use tests::{
    echo::Echo,
    forge::{self, header_of},
    keys::key,
    upstream::{get_with, signed},
};
use tower::ServiceBuilder;
use tower_backend_jwt::{AccessToken, AccessTokenLayer, BackendJwt, BackendJwtLayer, Verifier};

/// The layers over a ring, and a caller with one access token.
struct Gateway {
    service: AccessToken<BackendJwt<Echo>>,
    behind: Echo,
    token: String,
}

impl Gateway {
    fn new(ring: &KeyRing, clock: &ManualClock) -> Self {
        let verifier = Verifier::builder()
            .issuer(forge::issuer(key(ALGORITHM)))
            .clock(clock.clone());
        let behind = Echo::new();
        Self {
            service: ServiceBuilder::new()
                .layer(AccessTokenLayer::new(verifier.build().unwrap()))
                .layer(BackendJwtLayer::new(ring.clone()).clock(clock.clone()))
                .service(behind.clone()),
            behind,
            token: signed(&json!({"exp": after(NOW, 10 * INTERVAL).as_secs()})),
        }
    }

    /// The backend JWT that the service behind gets, and the key it is of.
    async fn hands_out(&self) -> (String, String) {
        let answer = send(&self.service, get_with(&self.token)).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        let jwt = self.behind.field("x-jwt-assertion").unwrap();
        let kid = header_of(&jwt)["kid"].as_str().unwrap().to_owned();
        (jwt, kid)
    }
}

#[tokio::test(start_paused = true)]
async fn a_backend_jwt_of_a_key_that_was_revoked_is_not_handed_out() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    until(&clock, after(NOW, ANNOUNCEMENT), &[&ring]).await;
    let gateway = Gateway::new(&ring, &clock);
    let (first, kid) = gateway.hands_out().await;
    assert_eq!(kid, signs(&ring));
    look(&ring).await;
    assert_eq!(gateway.hands_out().await.0, first, "it is kept");

    ring.revoke(&kid).await.unwrap();
    let (second, after) = gateway.hands_out().await;
    assert_ne!(after, kid);
    assert_eq!(after, signs(&ring));
    assert_eq!(gateway.hands_out().await.0, second);
}

#[tokio::test(start_paused = true)]
async fn nor_is_one_handed_out_while_nothing_may_sign() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let gateway = Gateway::new(&ring, &clock);
    let (_, kid) = gateway.hands_out().await;
    ring.revoke(&kid).await.unwrap();
    let heard = gateway.behind.count();
    let answer = send(&gateway.service, get_with(&gateway.token)).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(
        answer.field("retry-after"),
        Some(&*ANNOUNCEMENT.to_string())
    );
    assert_eq!(gateway.behind.count(), heard);
}

#[tokio::test(start_paused = true)]
async fn a_backend_jwt_of_a_key_that_is_retired_is_not_handed_out() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let turn = ring.rotate().await.unwrap();
    settled().await;
    let gateway = Gateway::new(&ring, &clock);
    until(&clock, turn.saturating_sub(secs(2)), &[&ring]).await;
    let (first, kid) = gateway.hands_out().await;
    clock.advance(secs(1));
    assert_eq!(gateway.hands_out().await.0, first, "it is kept");
    clock.set(turn);
    let (_, after) = gateway.hands_out().await;
    assert_ne!(after, kid);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_did_not_revoke_the_key_itself_stops_when_it_reads_of_it() {
    let clock = clock();
    let store = MemoryStore::new();
    let ring = open(store.clone(), &clock).await;
    until(&clock, after(NOW, ANNOUNCEMENT), &[&ring]).await;
    let other = open(store, &clock).await;
    let gateway = Gateway::new(&other, &clock);
    let (first, kid) = gateway.hands_out().await;
    ring.revoke(&kid).await.unwrap();
    assert_eq!(gateway.hands_out().await.0, first);
    other.refresh().await.unwrap();
    assert_ne!(gateway.hands_out().await.1, kid);
}

#[tokio::test(start_paused = true)]
async fn a_key_is_the_one_that_signs_exactly_when_the_ring_would_sign_with_it() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let first = std::sync::Arc::downgrade(&ring.signing_key().unwrap());
    assert!(ring.is_signing_key(&first).unwrap());
    until(&clock, after(NOW, ANNOUNCEMENT), &[&ring]).await;
    assert!(ring.is_signing_key(&first).unwrap());

    ring.revoke(&signs(&ring)).await.unwrap();
    let second = std::sync::Arc::downgrade(&ring.signing_key().unwrap());
    assert!(!ring.is_signing_key(&first).unwrap());
    assert!(ring.is_signing_key(&second).unwrap());

    // Nothing signs until the next may.
    ring.revoke(&signs(&ring)).await.unwrap();
    let error = ring.is_signing_key(&second).unwrap_err().to_string();
    assert_eq!(error, ring.signing_key().unwrap_err().to_string());
    // Nor is a key without a ring anybody's.
    let nobody = std::sync::Weak::new();
    assert!(ring.is_signing_key(&nobody).is_err());
    let other = open(MemoryStore::new(), &clock).await;
    assert!(!other.is_signing_key(&second).unwrap());
    assert!(!other.is_signing_key(&nobody).unwrap());
}
