//! Who has fetched a set since a key is in it.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::BuildHasher,
    sync::atomic::{AtomicU64, Ordering},
};

/// The most that are told apart.
const SLOTS: usize = 1024;

/// How many places a fetcher may be at.
const PROBES: usize = 8;

/// The distinct fetchers of a set with a given key, by their user agents: an estimate that costs a fetch
/// next to nothing, and that no fetcher can make large.
///
/// Each has a place by its hash, so that nothing is locked. A hash is all that is kept of it.
pub(crate) struct Audience {
    hasher: RandomState,
    slots: Box<[AtomicU64]>,
    count: AtomicU64,
}

impl Default for Audience {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            count: AtomicU64::new(0),
        }
    }
}

impl Audience {
    pub(crate) fn saw(&self, user_agent: &[u8]) {
        // Zero is for a place that is free.
        let hash = self.hasher.hash_one(user_agent).max(1);
        let first = usize::try_from(hash % SLOTS as u64).unwrap_or_default();
        for place in first..first + PROBES {
            let slot = &self.slots[place % SLOTS];
            let taken = match slot.load(Ordering::Relaxed) {
                0 => slot.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed),
                other => Err(other),
            };
            match taken {
                Ok(_) => {
                    self.count.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(known) if known == hash => return,
                Err(_) => {}
            }
        }
        // No place for one more: there are as many as are told apart.
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Audience").field(&self.count()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_once() {
        let audience = Audience::default();
        for agent in ["a/1", "b/1", "a/1", "", "b/1", ""] {
            audience.saw(agent.as_bytes());
        }
        assert_eq!(audience.count(), 3);
    }

    #[test]
    fn a_crowd_is_counted_up_to_the_bound() {
        let audience = Audience::default();
        for number in 0..100_000_u32 {
            audience.saw(&number.to_be_bytes());
        }
        assert_eq!(audience.count(), SLOTS as u64);
    }
}
