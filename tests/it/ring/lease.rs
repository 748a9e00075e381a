//! A store that cannot be reached: for how long what was read is good enough.

use super::*;
use tests::{
    echo::Echo,
    forge,
    keys::key,
    upstream::{get, get_with},
};
use tower::{Layer, ServiceBuilder};
use tower_backend_jwt::{AccessTokenLayer, BackendJwtLayer, Refusal, RefusalReason};
use tower_jwks::JwksLayer;

const WHY: &str = "the store of the keys could not be read for longer than `propagation`";

/// A ring whose store is unreachable, last read at [`NOW`].
async fn cut_off() -> (Faulty, ManualClock, KeyRing) {
    let (store, clock) = (Faulty::new(), clock());
    let ring = open(store.clone(), &clock).await;
    store.becomes(Fault::Unreachable);
    (store, clock, ring)
}

#[tokio::test(start_paused = true)]
async fn a_ring_signs_and_publishes_for_as_long_as_a_change_may_take_and_no_longer() {
    let (store, clock, ring) = cut_off().await;
    let before = (signs(&ring), published(&ring));
    clock.advance(secs(PROPAGATION - 1));
    assert!(ring.refresh().await.is_err());
    assert_eq!((signs(&ring), published(&ring)), before);
    assert_eq!(
        ring.status().fault.as_deref(),
        Some("no route to the store"),
        "it is told before it matters"
    );

    clock.advance(secs(1));
    let expected = (format!("{WHY}: no route to the store"), Some(POLL));
    assert_eq!(idle(&ring), expected);
    let error = ring.published().unwrap_err();
    assert_eq!(error.to_string(), expected.0);
    let status = ring.status();
    assert_eq!((status.signs, status.max_age), (false, None));
    assert_eq!(status.fault, Some(expected.0));

    store.becomes(Fault::None);
    look(&ring).await;
    assert_eq!((signs(&ring), published(&ring)), before);
    assert_eq!(ring.status().fault, None);
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_asked_of_it_is_done_meanwhile() {
    let (store, _clock, ring) = cut_off().await;
    let before = store.has().await.secret_document().to_vec();
    let kid = signs(&ring);
    for error in [
        ring.rotate().await.unwrap_err(),
        ring.revoke(&kid).await.unwrap_err(),
        ring.import(pem(1)).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "no route to the store");
    }
    assert_eq!(signs(&ring), kid);
    assert_eq!(store.has().await.secret_document(), before);
}

#[tokio::test(start_paused = true)]
async fn a_ring_cannot_be_opened_without_its_store() {
    let (store, clock, _ring) = cut_off().await;
    let error = opening(store.clone(), &clock).await.unwrap_err();
    assert_eq!(error.to_string(), "no route to the store");
    // One that can be read is good enough to sign by.
    store.becomes(Fault::Unwritable);
    clock.advance(secs(INTERVAL));
    let ring = opening(store, &clock).await.unwrap();
    assert!(ring.signing_key().is_ok());
}

#[tokio::test(start_paused = true)]
async fn verifiers_are_told_to_ask_again_and_not_that_there_are_no_keys() {
    let (store, clock, ring) = cut_off().await;
    let service = JwksLayer::new(ring.clone()).layer(Echo::new());
    let ask = async |path: &str| {
        let request = Request::get(path).body(()).unwrap();
        send(&service, request).await
    };
    clock.advance(secs(PROPAGATION));
    for path in JwksLayer::DEFAULT_PATHS {
        let answer = ask(path).await;
        assert_eq!(answer.status(), 503);
        assert_eq!(answer.field("retry-after"), Some("50"));
        assert_eq!(answer.field("cache-control"), Some("no-store"));
        assert!(answer.body.is_empty());
    }
    assert_eq!(ask("/orders").await.status(), 200, "the rest is as it was");
    store.becomes(Fault::None);
    look(&ring).await;
    assert_eq!(ask(JwksLayer::DEFAULT_PATHS[0]).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn callers_are_told_to_come_back_and_nothing_reaches_the_service_behind() {
    let (store, clock, ring) = cut_off().await;
    let behind = Echo::new();
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .layer(BackendJwtLayer::new(ring.clone()).clock(clock.clone()))
        .service(behind.clone());
    let token = forge::token(key(ALGORITHM));
    assert_eq!(send(&service, get_with(&token)).await.status(), 200);

    clock.advance(secs(PROPAGATION));
    let answer = send(&service, get_with(&token)).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.field("retry-after"), Some("50"));
    let refusal = answer.head.extensions.get::<Refusal>().unwrap();
    assert_eq!(refusal.reason(), RefusalReason::KeysUnavailable);
    assert!(
        !String::from_utf8_lossy(&answer.body).contains("route"),
        "what is wrong here is nobody's business"
    );

    let authorization = format!("Bearer {token}");
    let grpc = get(&[
        ("authorization", &authorization),
        ("content-type", "application/grpc"),
    ]);
    let answer = send(&service, grpc).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.field("grpc-status"), Some("14"), "UNAVAILABLE");
    assert_eq!(behind.count(), 1);

    store.becomes(Fault::None);
    look(&ring).await;
    assert_eq!(send(&service, get_with(&token)).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_goes_back_makes_no_lease_longer() {
    let (store, clock) = (Faulty::new(), clock());
    let ring = open(store.clone(), &clock).await;
    let read_at = after(NOW, 100);
    skip(&clock, read_at, &[&ring]).await;
    store.becomes(Fault::Unreachable);
    clock.set(read_at.saturating_sub(secs(SKEW)));
    assert!(ring.signing_key().is_ok(), "by no more than clocks differ");
    clock.set(read_at.saturating_sub(secs(SKEW + 1)));
    assert_eq!(idle(&ring).0, WHY);
    assert!(ring.published().is_err());
    // Once the store is read by the new time, it counts from there.
    store.becomes(Fault::None);
    look(&ring).await;
    assert!(ring.signing_key().is_ok());
    store.becomes(Fault::Unreachable);
    clock.advance(secs(PROPAGATION));
    assert!(ring.signing_key().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_turn_comes_while_the_store_is_away_signs_within_the_lease() {
    let (store, clock) = (Faulty::new(), clock());
    let ring = open(store.clone(), &clock).await;
    let b = the(KeyState::Pending, &ring);
    let turn = ring.rotate().await.unwrap();
    settled().await;
    until(&clock, turn.saturating_sub(secs(60)), &[&ring]).await;
    store.becomes(Fault::Unreachable);
    clock.set(turn);
    assert_eq!(signs(&ring), b);
    clock.set(after(turn, PROPAGATION - 60));
    assert!(ring.signing_key().is_err());
}

/// A store that takes its time to answer who reads it.
struct Slow(MemoryStore, ManualClock);

impl KeyStore for Slow {
    async fn load(&self) -> Result<Option<StoredRing>, KeysUnavailable> {
        let answer = self.0.load().await;
        self.1.advance(secs(10));
        answer
    }

    async fn compare_and_swap(
        &self,
        read: Option<u64>,
        next: StoredRing,
    ) -> Result<Swap, KeysUnavailable> {
        self.0.compare_and_swap(read, next).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_from_the_question_and_not_from_the_answer() {
    let clock = clock();
    let store = MemoryStore::new();
    // All that is due is done.
    let first = open(store.clone(), &clock).await;
    let ring = open(Slow(store, clock.clone()), &clock).await;
    assert_eq!(clock.now(), after(NOW, 10));
    ring.refresh().await.unwrap();
    assert_eq!(clock.now(), after(NOW, 20));
    clock.set(after(NOW, 10 + PROPAGATION - 1));
    assert_eq!(signs(&ring), the(KeyState::Active, &first));
    clock.advance(secs(1));
    assert!(ring.signing_key().is_err());
    assert!(ring.published().is_err());
}
