//! Keys that nobody is to trust any more.

use super::*;

/// For how long after a key was revoked an answer that has it can be held by somebody.
const MEMORY: u64 = PROPAGATION + MAX_AGE + GRACE + 2 * SKEW;

/// A ring whose key in reserve every verifier can have.
async fn with_mature_reserve(store: impl KeyStore, clock: &ManualClock) -> KeyRing {
    let ring = open(store, clock).await;
    until(clock, after(NOW, ANNOUNCEMENT), &[&ring]).await;
    ring
}

#[tokio::test(start_paused = true)]
async fn a_revoked_key_hands_over_at_once_to_one_that_every_verifier_can_have() {
    let clock = clock();
    let ring = with_mature_reserve(MemoryStore::new(), &clock).await;
    let (a, b) = (signs(&ring), the(KeyState::Pending, &ring));
    ring.revoke(&a).await.unwrap();
    assert_eq!(signs(&ring), b);
    assert!(!published(&ring).contains(&a));
    assert_eq!(published(&ring)[0], b);
    assert_eq!(published(&ring).len(), 2, "there is a new reserve");
}

#[tokio::test(start_paused = true)]
async fn verifiers_are_told_to_come_back_soon_for_as_long_as_one_may_have_the_revoked_key() {
    let clock = clock();
    let ring = with_mature_reserve(MemoryStore::new(), &clock).await;
    let age = async || fetch(&ring).await.field("cache-control").map(str::to_owned);
    assert_eq!(age().await.unwrap(), "public, max-age=300");
    let (compromised, revoked_at) = (signs(&ring), clock.now());
    ring.revoke(&compromised).await.unwrap();
    settled().await;
    assert_eq!(age().await.unwrap(), "public, max-age=20");
    assert_eq!(ring.status().max_age, Some(EMERGENCY));
    let [revoked] = &ring.status().revoked[..] else {
        panic!("one was revoked");
    };
    assert_eq!((&*revoked.kid, revoked.at), (&*compromised, revoked_at));
    until(&clock, after(revoked_at, MEMORY - 1), &[&ring]).await;
    assert_eq!(age().await.unwrap(), "public, max-age=20");
    clock.advance(secs(1));
    assert_eq!(age().await.unwrap(), "public, max-age=300");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_signed_until_every_verifier_can_have_the_next_key() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let (a, b) = (signs(&ring), the(KeyState::Pending, &ring));
    until(&clock, after(NOW, 600), &[&ring]).await;
    ring.revoke(&a).await.unwrap();
    settled().await;
    let left = ANNOUNCEMENT - 600;
    let expected = "no key of the ring may sign now".to_owned();
    assert_eq!(idle(&ring), (expected.clone(), Some(left)));
    assert!(!ring.status().signs);
    // The set is published: the key that signs next has to be known.
    assert_eq!(published(&ring)[0], b);
    assert!(!published(&ring).contains(&a));

    until(&clock, after(NOW, ANNOUNCEMENT - 1), &[&ring]).await;
    assert_eq!(idle(&ring), (expected, Some(1)));
    clock.advance(secs(1));
    assert_eq!(signs(&ring), b);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_retiring_does_not_come_back() {
    let clock = clock();
    let ring = with_mature_reserve(MemoryStore::new(), &clock).await;
    let a = signs(&ring);
    ring.rotate().await.unwrap();
    settled().await;
    let b = signs(&ring);
    assert_eq!(the(KeyState::Retiring, &ring), a);
    ring.revoke(&b).await.unwrap();
    settled().await;
    let (why, wait) = idle(&ring);
    assert_eq!(why, "no key of the ring may sign now");
    assert_eq!(wait, Some(ANNOUNCEMENT));
    assert_eq!(published(&ring)[0], a, "its tokens live");
    until(&clock, after(clock.now(), ANNOUNCEMENT), &[&ring]).await;
    assert_ne!(signs(&ring), a);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_active_can_be_revoked_as_well() {
    let clock = clock();
    let ring = with_mature_reserve(MemoryStore::new(), &clock).await;
    let (a, b) = (signs(&ring), the(KeyState::Pending, &ring));
    ring.revoke(&b).await.unwrap();
    settled().await;
    assert_eq!(signs(&ring), a);
    let c = the(KeyState::Pending, &ring);
    assert_eq!(published(&ring), [&*a, &*c]);
    // The new reserve has to be announced.
    let turn = ring.rotate().await.unwrap();
    assert_eq!(turn, after(clock.now(), ANNOUNCEMENT));
    settled().await;
    until(&clock, turn, &[&ring]).await;
    assert_eq!(
        (signs(&ring), the(KeyState::Retiring, &ring)),
        (c.clone(), a.clone())
    );
    ring.revoke(&a).await.unwrap();
    assert_eq!(signs(&ring), c);
    assert!(!published(&ring).contains(&a));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_to_sign_next_is_not_the_next_any_more_when_it_is_revoked() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let (a, b) = (signs(&ring), the(KeyState::Pending, &ring));
    let turn = ring.rotate().await.unwrap();
    ring.revoke(&b).await.unwrap();
    settled().await;
    until(&clock, turn, &[&ring]).await;
    assert_eq!(signs(&ring), a);
    assert!(!published(&ring).contains(&b));
}

#[tokio::test(start_paused = true)]
async fn every_key_can_be_revoked_and_the_ring_recovers() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let all = published(&ring);
    for kid in &all {
        ring.revoke(kid).await.unwrap();
    }
    settled().await;
    let new = published(&ring);
    assert!(new.iter().all(|kid| !all.contains(kid)) && !new.is_empty());
    assert_eq!(idle(&ring).1, Some(ANNOUNCEMENT));
    until(&clock, after(NOW, ANNOUNCEMENT), &[&ring]).await;
    assert!(new.contains(&signs(&ring)));
}

#[tokio::test(start_paused = true)]
async fn what_was_revoked_is_not_imported_again() {
    let ring = open(MemoryStore::new(), &clock()).await;
    let kid = ring.import(pem(1)).await.unwrap();
    ring.revoke(&kid).await.unwrap();
    let error = ring.import(pem(1)).await.unwrap_err().to_string();
    assert_eq!(error, format!("the key {kid:?} was revoked"));
    assert!(!published(&ring).contains(&kid));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_there_cannot_be_revoked() {
    let store = Faulty::new();
    let ring = open(store.clone(), &clock()).await;
    let before = store.has().await.secret_document().to_vec();
    let error = ring.revoke("another's").await.unwrap_err();
    assert_eq!(error.to_string(), r#"the ring has no key "another's""#);
    settled().await;
    assert_eq!(store.has().await.secret_document(), before);
}

#[tokio::test(start_paused = true)]
async fn another_replica_hears_of_it_when_it_reads_the_store() {
    let clock = clock();
    let store = MemoryStore::new();
    let ring = with_mature_reserve(store.clone(), &clock).await;
    let other = open(store, &clock).await;
    let (a, b) = (signs(&ring), the(KeyState::Pending, &ring));
    ring.revoke(&a).await.unwrap();
    assert_eq!(signs(&other), a);
    other.refresh().await.unwrap();
    assert_eq!(signs(&other), b);
    assert!(!published(&other).contains(&a));
    assert_eq!(other.status().max_age, Some(EMERGENCY));
}
