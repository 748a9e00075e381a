//! Rings whose keys rotate, from outside: by a clock that stands still, and tokio's time paused, so that
//! the task of a ring comes only when it is called or waited for.

mod damage;
mod events;
mod faulty;
mod forged;
mod handed_out;
mod import;
mod lease;
mod lost;
mod promise;
mod replicas;
mod revocation;
mod rotation;
mod sealed;
mod secrets;
mod status;
mod stores;
mod ttl;

use self::faulty::{Fault, Faulty};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::Request;
use std::time::Duration;
use tests::{
    time::{NOW, clock},
    upstream::{Answer, send},
};
use tower_jwks::{
    Algorithm, Clock, JwksEndpoint, KeyRing, KeyState, KeyStore, KeysUnavailable, ManualClock,
    MemoryStore, OpenKeyRing, RotationPolicy, RotationPolicyBuilder, StoredRing, Swap, UnixTime,
};

const ALGORITHM: Algorithm = Algorithm::EdDSA;

/// Times that tell what they are for: no two of them and no two sums are the same.
const INTERVAL: u64 = 86_400;
const PROPAGATION: u64 = 120;
const MAX_AGE: u64 = 300;
const GRACE: u64 = 600;
const SKEW: u64 = 30;
const TOKEN_LIFE: u64 = 900;
const EMERGENCY: u64 = 20;
const POLL: u64 = 50;
const ANNOUNCEMENT: u64 = PROPAGATION + MAX_AGE + GRACE + 2 * SKEW;
const AFTERLIFE: u64 = PROPAGATION + TOKEN_LIFE + 3 * SKEW;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn after(start: UnixTime, seconds: u64) -> UnixTime {
    start.saturating_add(secs(seconds))
}

fn policy() -> RotationPolicyBuilder {
    RotationPolicy::builder()
        .interval(secs(INTERVAL))
        .propagation(secs(PROPAGATION))
        .max_age(secs(MAX_AGE))
        .grace(secs(GRACE))
        .clock_skew(secs(SKEW))
        .token_life(secs(TOKEN_LIFE))
        .emergency_max_age(secs(EMERGENCY))
        .poll(secs(POLL))
}

fn opening(store: impl KeyStore, clock: &ManualClock) -> OpenKeyRing {
    KeyRing::open(store)
        .algorithm(ALGORITHM)
        .policy(policy().build().unwrap())
        .clock(clock.clone())
}

/// A ring with a key that signs, and one in reserve that is published from now on.
async fn open(store: impl KeyStore, clock: &ManualClock) -> KeyRing {
    let ring = opening(store, clock).await.unwrap();
    settled().await;
    ring
}

/// When the tasks of all rings have nothing more to do: tokio's time passes only when everybody waits.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Reads the store, and does all that is due.
async fn look(ring: &KeyRing) {
    ring.refresh().await.unwrap();
    settled().await;
}

/// Lets the time come to this, with a look at the store as often as it takes to stay within the lease.
async fn until(clock: &ManualClock, end: UnixTime, rings: &[&KeyRing]) {
    while clock.now() < end {
        let next = after(clock.now(), POLL).min(end);
        clock.set(next);
        for ring in rings {
            look(ring).await;
        }
    }
}

/// As [`until`], over a long time in which nothing is due: one look at its end.
async fn skip(clock: &ManualClock, end: UnixTime, rings: &[&KeyRing]) {
    clock.set(end);
    for ring in rings {
        look(ring).await;
    }
}

/// The `kid` of the key that signs.
fn signs(ring: &KeyRing) -> String {
    ring.signing_key().unwrap().kid().to_owned()
}

/// What the published set has, in its order.
fn published(ring: &KeyRing) -> Vec<String> {
    let set: serde_json::Value = serde_json::from_str(ring.published().unwrap().json()).unwrap();
    let keys = set["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// The keys and where they are in their lives.
fn states(ring: &KeyRing) -> Vec<(String, KeyState)> {
    let keys = ring.status().keys.into_iter();
    keys.map(|key| (key.kid, key.state)).collect()
}

/// The `kid` of the one key in this state.
fn the(state: KeyState, ring: &KeyRing) -> String {
    let mut those = states(ring).into_iter().filter(|(_, its)| *its == state);
    let (kid, _) = those.next().unwrap();
    assert!(those.next().is_none(), "there is one");
    kid
}

fn epoch(ring: &KeyRing) -> u64 {
    ring.status().epoch.unwrap()
}

/// What a verifier is given.
async fn fetch(ring: &KeyRing) -> Answer {
    let endpoint = JwksEndpoint::new(ring.clone());
    send(&endpoint, Request::get("/keys").body(()).unwrap()).await
}

/// Why nothing is signed, and when to ask again.
fn idle(ring: &KeyRing) -> (String, Option<u64>) {
    let error = ring.signing_key().unwrap_err();
    let after = error.retry_after().map(|after| after.as_secs());
    (error.to_string(), after)
}

/// The Ed25519 key of these bytes, which only a test may choose: RFC 8410 section 7.
fn der(seed: u8) -> Vec<u8> {
    const PKCS8: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    [&PKCS8[..], &[seed; 32]].concat()
}

/// The same in PEM.
fn pem(seed: u8) -> String {
    let text = BASE64_STANDARD.encode(der(seed));
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}
