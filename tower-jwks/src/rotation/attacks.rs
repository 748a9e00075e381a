//! What goes wrong around a ring, and what must come of it.

// Clippy takes only `#[test]` functions for tests, not what they call.
#![allow(clippy::unwrap_used)]

use super::document::Document;
use crate::{
    Algorithm, KeyRing, KeyState, KeyStore, KeysUnavailable, ManualClock, MemoryStore,
    PemDirectory, RotationPolicy, StoredRing, Swap, UnixTime, test_directory::TestDirectory,
};
use std::{
    fs,
    future::{self, Future},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn clock() -> ManualClock {
    ManualClock::new(NOW)
}

async fn open(store: impl KeyStore, clock: &ManualClock) -> KeyRing {
    KeyRing::open(store)
        .algorithm(Algorithm::ES256)
        .clock(clock.clone())
        .await
        .unwrap()
}

fn active(keys: &KeyRing) -> String {
    let status = keys.status();
    let mut keys = status.keys.into_iter();
    let active = keys.find(|key| key.state == KeyState::Active);
    active.expect("a key is active").kid
}

/// How often in a row the store could not be had.
fn faults(keys: &KeyRing) -> u32 {
    let fault = keys.rotating().unwrap().fault();
    fault.map_or(0, |fault| fault.times)
}

/// Lets the tasks of the runtime come to rest, as long as they wait for nothing but each other.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
        std::thread::yield_now();
    }
}

/// A key and its certificate, which ends then.
fn certified(pair: &rcgen::KeyPair, ends: UnixTime) -> String {
    let mut parameters = rcgen::CertificateParams::default();
    let at = |secs: u64| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(secs);
    parameters.not_before = at(1);
    parameters.not_after = at(ends.as_secs());
    pair.serialize_pem() + &parameters.self_signed(pair).unwrap().pem()
}

/// A store that does what a test wants of it.
#[derive(Clone, Default)]
struct Odd(Arc<Oddities>);

#[derive(Default)]
struct Oddities {
    store: MemoryStore,
    panics: AtomicBool,
    read_only: AtomicBool,
    answers_never: AtomicBool,
    loads: AtomicU32,
}

impl KeyStore for Odd {
    async fn load(&self) -> Result<Option<StoredRing>, KeysUnavailable> {
        assert!(
            !self.0.panics.load(Ordering::Relaxed),
            "a store that panics"
        );
        self.0.loads.fetch_add(1, Ordering::Relaxed);
        self.0.store.load().await
    }

    async fn compare_and_swap(
        &self,
        read: Option<u64>,
        next: StoredRing,
    ) -> Result<Swap, KeysUnavailable> {
        if self.0.read_only.load(Ordering::Relaxed) {
            return Err(KeysUnavailable::new("is read only"));
        }
        let swap = self.0.store.compare_and_swap(read, next).await;
        if self.0.answers_never.load(Ordering::Relaxed) {
            future::pending::<()>().await;
        }
        swap
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_does_not_end_the_reading() {
    let (store, clock) = (Odd::default(), clock());
    let keys = open(store.clone(), &clock).await;
    settle().await;
    store.0.panics.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(30)).await;
    settle().await;
    store.0.panics.store(false, Ordering::Relaxed);
    let loads = store.0.loads.load(Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(60)).await;
    settle().await;
    assert!(store.0.loads.load(Ordering::Relaxed) > loads);
    drop(keys);
}

#[tokio::test(start_paused = true)]
async fn who_hangs_up_after_a_revocation_was_written_does_not_delay_it() {
    let (store, clock) = (Odd::default(), clock());
    let keys = open(store.clone(), &clock).await;
    keys.refresh().await.unwrap();
    clock.advance(RotationPolicy::default().announcement());
    keys.refresh().await.unwrap();
    settle().await;
    let revoked = active(&keys);
    store.0.answers_never.store(true, Ordering::Relaxed);
    {
        let mut revocation = pin!(keys.revoke(&revoked));
        let mut context = Context::from_waker(Waker::noop());
        let mut document = store.0.store.load().await.unwrap().unwrap();
        let before = document.epoch();
        while document.epoch() == before {
            assert_eq!(revocation.as_mut().poll(&mut context), Poll::Pending);
            settle().await;
            document = store.0.store.load().await.unwrap().unwrap();
        }
    }
    store.0.answers_never.store(false, Ordering::Relaxed);
    // How long keys take to be read is the machine's affair, and not the ring's.
    for _ in 0..1000 {
        if active(&keys) != revoked {
            return;
        }
        settle().await;
    }
    panic!("the revoked key still signs");
}

#[tokio::test]
async fn a_key_that_was_revoked_is_not_taken_back_from_another_history() {
    let (store, clock) = (MemoryStore::new(), clock());
    let keys = open(store.clone(), &clock).await;
    let kid = active(&keys);
    let old = store.load().await.unwrap().unwrap();
    keys.revoke(&kid).await.unwrap();
    let epoch = store.load().await.unwrap().unwrap().epoch();

    // Somebody puts the older document back, and another replica is started and goes on from there.
    let other_store = MemoryStore::new();
    let swap = other_store.compare_and_swap(None, old).await.unwrap();
    assert_eq!(swap, Swap::Done);
    let other = open(other_store.clone(), &clock).await;
    for _ in 0..epoch {
        let pem = rcgen::KeyPair::generate().unwrap().serialize_pem();
        other.import(pem).await.unwrap();
    }
    let forked = other_store.load().await.unwrap().unwrap();
    assert!(forked.epoch() > epoch);
    let swap = store.compare_and_swap(Some(epoch), forked).await.unwrap();
    assert_eq!(swap, Swap::Done);

    let error = keys.refresh().await.unwrap_err().to_string();
    assert!(error.contains("was revoked"), "{error}");
    assert!(!keys.published().unwrap().json().contains(&kid));
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_one_fault_and_not_a_new_one_each_time() {
    let (store, clock) = (Odd::default(), clock());
    let keys = open(store.clone(), &clock).await;
    keys.refresh().await.unwrap();
    store.0.read_only.store(true, Ordering::Relaxed);
    // The turn of the next key has come.
    clock.advance(RotationPolicy::default().interval());
    for times in 1..=3 {
        assert!(keys.refresh().await.is_err());
        assert!(faults(&keys) >= times);
    }
    store.0.read_only.store(false, Ordering::Relaxed);
    keys.refresh().await.unwrap();
    assert_eq!(faults(&keys), 0);
}

#[tokio::test]
async fn a_key_with_a_renewed_certificate_signs_beyond_the_end_of_the_old_one() {
    let directory = TestDirectory::new("renewed");
    let path = directory.path().join("tls.pem");
    let pair = rcgen::KeyPair::generate().unwrap();
    let day = Duration::from_secs(86_400);
    fs::write(&path, certified(&pair, NOW.saturating_add(day))).unwrap();
    let clock = clock();
    let keys = KeyRing::follow(PemDirectory::new(directory.path()))
        .clock(clock.clone())
        .await
        .unwrap();

    clock.advance(day / 2);
    let end = NOW.saturating_add(10 * day);
    fs::write(&path, certified(&pair, end)).unwrap();
    keys.refresh().await.unwrap();
    assert_eq!(keys.signing_key().unwrap().not_after(), Some(end));
    clock.advance(day);
    keys.refresh().await.unwrap();
    assert_eq!(keys.signing_key().unwrap().not_after(), Some(end));
}

#[tokio::test]
async fn a_document_without_keys_is_refused_and_not_published() {
    let (store, clock) = (MemoryStore::new(), clock());
    let keys = open(store.clone(), &clock).await;
    let ring = keys.rotating().unwrap().current.load_full();
    let mut state = ring.state().clone();
    state.keys.clear();
    let read = state.epoch;
    state.epoch += 1;
    let keys_of_it = ring.keys.of(&state, None);
    let document = Document {
        state,
        keys: keys_of_it,
    };
    let document = document.write(None).unwrap();
    let swap = store.compare_and_swap(Some(read), document).await.unwrap();
    assert_eq!(swap, Swap::Done);
    let error = keys.refresh().await.unwrap_err();
    assert_eq!(error.to_string(), "what the store has has no key");
    assert!(keys.published().unwrap().json().contains(&active(&keys)));
}

#[tokio::test]
async fn a_ring_is_not_made_with_a_key_at_its_end() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let error = KeyRing::open(MemoryStore::new())
        .algorithm(Algorithm::ES256)
        .clock(clock())
        .first_key(certified(&pair, NOW))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the first key ends before the next one could be announced"
    );
}

#[tokio::test]
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
async fn a_key_can_be_revoked_though_no_other_can_be_made() {
    let pem = || {
        let mut rng = std::process::Command::new("openssl");
        let made = rng
            .args(["genpkey", "-algorithm", "RSA", "-quiet"])
            .output();
        made.unwrap().stdout
    };
    let clock = clock();
    let keys = KeyRing::open(MemoryStore::new())
        .clock(clock.clone())
        .first_key(pem())
        .await
        .unwrap();
    let kid = active(&keys);
    let reserve = keys.import(pem()).await.unwrap();
    keys.refresh().await.unwrap();
    clock.advance(RotationPolicy::default().announcement());
    keys.refresh().await.unwrap();
    keys.revoke(&kid).await.unwrap();
    assert_eq!(keys.signing_key().unwrap().kid(), reserve);
}

#[tokio::test]
async fn a_key_that_ends_soon_after_its_turn_does_not_leave_the_ring_without_one() {
    let (store, clock) = (MemoryStore::new(), clock());
    let keys = open(store.clone(), &clock).await;
    keys.refresh().await.unwrap();
    let interval = RotationPolicy::default().interval();
    let pair = rcgen::KeyPair::generate().unwrap();
    let end = NOW.saturating_add(2 * interval + Duration::from_secs(300));
    let kid = keys.import(certified(&pair, end)).await.unwrap();
    let mut idle = 0;
    let mut used = 0;
    for _ in 0..(2 * interval.as_secs() + 7200) / 300 {
        clock.advance(Duration::from_secs(300));
        keys.refresh().await.unwrap();
        match keys.signing_key() {
            Ok(key) if key.kid() == kid => used += 1,
            Ok(_) => {}
            Err(_) => idle += 1,
        }
    }
    assert_eq!(
        (idle, used),
        (0, 0),
        "looks without a key; with the one that ends"
    );
}

#[tokio::test]
async fn a_replica_whose_clock_is_behind_signs_with_a_new_ring_at_once() {
    let store = MemoryStore::new();
    let ahead = ManualClock::new(NOW.saturating_add(Duration::from_secs(60)));
    let _x = open(store.clone(), &ahead).await;
    let y = KeyRing::open(store)
        .algorithm(Algorithm::ES256)
        .clock(clock())
        .await;
    let y = y.unwrap();
    y.signing_key().unwrap();
}

#[tokio::test]
async fn a_replica_whose_clock_is_behind_signs_after_a_revocation_at_once() {
    let store = MemoryStore::new();
    let ahead = ManualClock::new(NOW.saturating_add(Duration::from_secs(60)));
    let clock = clock();
    let x = open(store.clone(), &ahead).await;
    clock.advance(Duration::from_secs(60));
    let y = open(store.clone(), &clock).await;
    for _ in 0..3 {
        x.refresh().await.unwrap();
        ahead.advance(Duration::from_secs(1800));
        clock.advance(Duration::from_secs(1800));
    }
    x.refresh().await.unwrap();
    y.refresh().await.unwrap();
    clock.set(UnixTime::from_secs(
        crate::Clock::now(&ahead).as_secs() - 60,
    ));
    y.refresh().await.unwrap();
    y.signing_key().unwrap();
    x.revoke(&active(&x)).await.unwrap();
    y.refresh().await.unwrap();
    x.signing_key().unwrap();
    y.signing_key().unwrap();
}
