//! Keys of our own, and their certificates' ends.

use super::*;
use tests::openssl;
use tower_backend_jwt::{BackendJwtLayer, Compatibility, Policy};
use tower_jwks::{KeyEncryptionKey, PemDirectory, SigningKey};

/// The next key signs so long before an end: all replicas have heard of it, and no token is cut short.
const LAST_TURN: u64 = 2 * PROPAGATION + TOKEN_LIFE + SKEW;

/// A key can be announced, and the next one after it.
const NEEDED: u64 = LAST_TURN + PROPAGATION + 2 * ANNOUNCEMENT;

/// A key with its certificate, in one PEM, and the end of that.
fn certified() -> (String, UnixTime) {
    let key = openssl::ed25519();
    let arguments = "req -x509 -key /dev/stdin -subj /CN=gateway -days 30";
    let certificate = openssl::text(arguments, &key);
    let pem = format!("{certificate}\n{key}");
    let end = SigningKey::from_pem(ALGORITHM, &pem).unwrap().not_after();
    (pem, end.unwrap())
}

/// A ring whose first key has a certificate; its clock, and the certificate's end.
async fn certified_ring() -> (KeyRing, ManualClock, UnixTime) {
    let (pem, end) = certified();
    let clock = ManualClock::new(end.saturating_sub(secs(20_000)));
    let opening = opening(MemoryStore::new(), &clock).first_key(&pem);
    let ring = opening.await.unwrap();
    settled().await;
    (ring, clock, end)
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_imported_signs_after_those_that_wait_already() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let mut order = published(&ring);
    for seed in [1, 2] {
        let kid = ring.import(pem(seed)).await.unwrap();
        let expected = SigningKey::from_pem(ALGORITHM, pem(seed)).unwrap();
        assert_eq!(kid, expected.kid());
        assert_eq!(
            published(&ring).last(),
            Some(&kid),
            "it is published at once"
        );
        order.push(kid);
    }
    settled().await;
    assert_eq!(published(&ring), order);
    let mut signed = vec![signs(&ring)];
    while signed.len() < 4 {
        let turn = ring.rotate().await.unwrap();
        settled().await;
        until(&clock, turn, &[&ring]).await;
        until(&clock, after(clock.now(), 1), &[&ring]).await;
        signed.push(signs(&ring));
    }
    assert_eq!(signed, order);
    // As long as one waits, none is made.
    assert_eq!(the(KeyState::Pending, &ring).len(), 43);
    assert_eq!(states(&ring).len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_ring_may_start_with_the_key_that_verifiers_know() {
    let clock = clock();
    let store = MemoryStore::new();
    let known = SigningKey::from_pem(ALGORITHM, pem(9)).unwrap();
    let ring = opening(store.clone(), &clock)
        .first_key(pem(9))
        .await
        .unwrap();
    assert_eq!(signs(&ring), known.kid());
    // It is for a ring that is made, and for no other.
    let other = opening(store, &clock).first_key(pem(8)).await.unwrap();
    assert_eq!(signs(&other), known.kid());
    assert_eq!(published(&other).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_a_key_of_the_ring_is_refused_and_changes_nothing() {
    let clock = clock();
    let store = Faulty::new();
    let ring = open(store.clone(), &clock).await;
    let first = ring.import(pem(1)).await.unwrap();
    settled().await;
    let before = store.has().await.secret_document().to_vec();

    let error = ring.import(pem(1)).await.unwrap_err().to_string();
    assert_eq!(error, format!("the key {first:?} is in the ring"));
    assert!(ring.import("no key").await.is_err());
    if openssl::is_there() {
        let error = ring.import(openssl::ec("P-256")).await.unwrap_err();
        assert!(error.to_string().contains("EdDSA"), "{error}");
    }
    settled().await;
    assert_eq!(store.has().await.secret_document(), before);
    assert_eq!(ring.status().fault, None, "nothing is wrong with the ring");
}

#[tokio::test(start_paused = true)]
async fn a_ring_has_32_keys_at_most() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    for seed in 2..32 {
        ring.import(pem(seed)).await.unwrap();
    }
    let error = ring.import(pem(32)).await.unwrap_err().to_string();
    assert!(
        error.ends_with("has no place: there are 32 others"),
        "{error}"
    );
    settled().await;
    assert_eq!(published(&ring).len(), 32);
    // It rotates nevertheless, and takes one again when one is gone.
    let a = signs(&ring);
    until(&clock, after(NOW, ANNOUNCEMENT), &[&ring]).await;
    ring.rotate().await.unwrap();
    settled().await;
    assert_ne!(signs(&ring), a);
    assert!(ring.import(pem(32)).await.is_err());
    until(&clock, after(clock.now(), AFTERLIFE), &[&ring]).await;
    assert_eq!(published(&ring).len(), 31);
    ring.import(pem(32)).await.unwrap();
    assert_eq!(published(&ring).len(), 32);
}

#[tokio::test(start_paused = true)]
async fn the_next_key_signs_so_long_before_a_certificate_ends_that_no_token_is_cut_short() {
    if !openssl::is_there() {
        return;
    }
    let (ring, clock, end) = certified_ring().await;
    let (certified, next) = (signs(&ring), the(KeyState::Pending, &ring));
    assert_eq!(ring.status().keys[0].not_after, Some(end));

    let turn = end.saturating_sub(secs(LAST_TURN));
    skip(&clock, turn.saturating_sub(secs(1)), &[&ring]).await;
    assert_eq!(signs(&ring), certified);
    skip(&clock, turn, &[&ring]).await;
    assert_eq!(signs(&ring), next);
}

#[tokio::test(start_paused = true)]
async fn no_key_signs_past_its_end_though_nothing_can_sign_after_it_yet() {
    if !openssl::is_there() {
        return;
    }
    let (ring, clock, end) = certified_ring().await;
    let certified = signs(&ring);
    // All that could follow it are revoked: before one is to sign, and when one is decided to.
    let late = end.saturating_sub(secs(1000));
    for time in [end.saturating_sub(secs(LAST_TURN + 1)), late] {
        skip(&clock, time, &[&ring]).await;
        for (pending, _) in states(&ring)
            .iter()
            .filter(|(_, state)| *state == KeyState::Pending)
        {
            ring.revoke(pending).await.unwrap();
        }
        settled().await;
    }

    until(&clock, end.saturating_sub(secs(1)), &[&ring]).await;
    assert_eq!(signs(&ring), certified);
    clock.set(end);
    let (why, wait) = idle(&ring);
    assert_eq!(why, "no key of the ring may sign now");
    assert_eq!(wait, Some(ANNOUNCEMENT - 1000));
    until(&clock, after(late, ANNOUNCEMENT), &[&ring]).await;
    assert_ne!(signs(&ring), certified);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_ends_too_soon_is_not_imported() {
    if !openssl::is_there() {
        return;
    }
    let (pem, end) = certified();
    let clock = ManualClock::new(end.saturating_sub(secs(NEEDED - 1)));
    let ring = open(MemoryStore::new(), &clock).await;
    let error = ring.import(&pem).await.unwrap_err().to_string();
    assert!(
        error.ends_with("ends before it could be announced, and the next one after it"),
        "{error}"
    );
    clock.set(end.saturating_sub(secs(NEEDED)));
    look(&ring).await;
    let kid = ring.import(&pem).await.unwrap();
    assert!(published(&ring).contains(&kid));
}

#[tokio::test(start_paused = true)]
async fn how_soon_is_too_soon_is_the_rings_promise_whoever_imports() {
    if !openssl::is_there() {
        return;
    }
    let (pem, end) = certified();
    let store = MemoryStore::new();
    let needed = NEEDED + 500;
    let clock = ManualClock::new(end.saturating_sub(secs(needed - 1)));
    let ring = open(store.clone(), &clock).await;
    let longer = policy().token_life(secs(TOKEN_LIFE + 500)).build().unwrap();
    let other = opening(store, &clock).policy(longer).await.unwrap();
    settled().await;
    drop(other);
    assert!(ring.import(&pem).await.is_err());
    clock.set(end.saturating_sub(secs(needed)));
    look(&ring).await;
    ring.import(&pem).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_first_key_decides_what_a_new_ring_signs_with() {
    let opening = KeyRing::open(MemoryStore::new()).first_key(pem(1));
    assert_eq!(opening.await.unwrap().algorithm(), Algorithm::EdDSA);
}

#[tokio::test(start_paused = true)]
async fn a_form_of_a_certificate_is_refused_though_the_first_key_has_one() {
    if !openssl::is_there() {
        return;
    }
    let (ring, _, _) = certified_ring().await;
    assert!(ring.signing_key().unwrap().wso2_x5t().is_some());
    let policy = Policy::default()
        .ttl(secs(60))
        .compatibility(Compatibility::X5t);
    let error = BackendJwtLayer::new(ring).policy(policy).unwrap_err();
    let expected =
        "compatibility: x5t is of a certificate, and the keys that the ring makes have none";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn keys_that_are_followed_are_neither_sealed_nor_made() {
    let follow = || KeyRing::follow(PemDirectory::new("is/not/there"));
    let kek = KeyEncryptionKey::from_bytes([7; 32]);
    for opening in [follow().key_encryption_key(kek), follow().first_key(pem(1))] {
        assert_eq!(
            opening.await.unwrap_err().to_string(),
            "keys that are followed take no key-encryption key and no first key"
        );
    }
}
