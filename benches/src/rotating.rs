//! Keys that rotate.

use crate::background::runtime;
use tower_jwks::{KeyRing, MemoryStore};

/// A ring with a key that signs and one in reserve, which a task keeps fresh.
pub(crate) fn ring() -> KeyRing {
    runtime()
        .block_on(async { KeyRing::open(MemoryStore::new()).await })
        .expect("a ring in memory")
}
