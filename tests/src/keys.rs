//! Keys of the tests, made once in a process: RSA keys take their time.

use crate::{aside::Aside, openssl};
use std::sync::OnceLock;
use tower_jwks::{Algorithm, Clock, KeyRing, MemoryStore, SigningKey};

/// The key of the identity provider for this algorithm.
#[must_use]
pub fn key(algorithm: Algorithm) -> &'static SigningKey {
    static KEYS: [OnceLock<SigningKey>; Algorithm::ALL.len()] =
        [const { OnceLock::new() }; Algorithm::ALL.len()];
    KEYS[position(algorithm)].get_or_init(|| new_key(algorithm))
}

/// The keys of the gateway for this algorithm; not those of [`key`].
#[must_use]
pub fn ring(algorithm: Algorithm) -> KeyRing {
    static RINGS: [OnceLock<KeyRing>; Algorithm::ALL.len()] =
        [const { OnceLock::new() }; Algorithm::ALL.len()];
    RINGS[position(algorithm)]
        .get_or_init(|| KeyRing::new(new_key(algorithm)))
        .clone()
}

/// A ring in memory that does only what it is told to: the task that looks after it is gone with the runtime that
/// opened it.
///
/// # Panics
///
/// There is no such key to be had.
#[must_use]
pub fn unattended(algorithm: Algorithm, clock: impl Clock) -> KeyRing {
    let opened = KeyRing::open(MemoryStore::new())
        .algorithm(algorithm)
        .clock(clock);
    Aside::new()
        .block_on(opened.into_future())
        .expect("a store in memory")
}

fn position(algorithm: Algorithm) -> usize {
    let mut all = Algorithm::ALL.iter();
    all.position(|other| *other == algorithm)
        .expect("all are in the list of all")
}

/// A key that nobody else has.
///
/// # Panics
///
/// The backend is ring, which generates no RSA keys, and the program `openssl` is not there.
#[must_use]
pub fn new_key(algorithm: Algorithm) -> SigningKey {
    let key = if cfg!(feature = "aws-lc-rs") || !is_rsa(algorithm) {
        SigningKey::generate(algorithm)
    } else {
        SigningKey::from_pem(algorithm, openssl::rsa(2048))
    };
    key.expect("a generated key is a key")
}

/// Whether it is one of the six with RSA keys.
#[must_use]
pub fn is_rsa(algorithm: Algorithm) -> bool {
    algorithm.name().starts_with(['R', 'P'])
}
