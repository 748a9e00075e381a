//! Caches that are bounded in entries and in bytes at once.

use foldhash::quality::RandomState;
use quick_cache::{
    OptionsBuilder, Weighter,
    sync::{Cache, DefaultLifecycle},
};
use std::{
    hash::{BuildHasher, Hash},
    thread::available_parallelism,
};

/// A cache of so many entries, and of so many bytes of them.
pub(crate) type Bounded<K, V, B = RandomState> = Cache<K, V, EvenShare, B>;

/// Of tokens, and of backend JWTs, if nobody says.
pub(crate) const USUAL_ENTRIES: usize = 10_000;
/// The same in bytes.
pub(crate) const USUAL_BYTES: u64 = 64 * 1024 * 1024;

/// A cache is split into parts with a lock and a share of its room each. None has room for fewer bytes than this, which
/// is more than what is kept takes: what can be kept at all does not depend on how many processors there are.
const LEAST_PART: u64 = 64 * 1024;

/// Room for so many entries, and so many bytes of them. With no entries nothing is kept.
pub(crate) fn cache<K, V, B>(entries: usize, bytes: u64) -> Bounded<K, V, B>
where
    K: Eq + Hash,
    V: Clone,
    B: BuildHasher + Clone + Default,
    EvenShare: Weighter<K, V>,
{
    let bytes = if entries == 0 { 0 } else { bytes };
    let processors = available_parallelism().map_or(1, usize::from);
    let parts = usize::try_from(bytes / LEAST_PART).unwrap_or(usize::MAX);
    let parts = parts.clamp(1, 4 * processors);
    let options = OptionsBuilder::new()
        // Of a number that is no power of two it would make the next.
        .shards(1 << parts.ilog2())
        .estimated_items_capacity(entries)
        .weight_capacity(bytes)
        .build()
        .expect("both capacities are set");
    let weight = EvenShare::new(entries, bytes);
    Cache::with_options(options, weight, B::default(), DefaultLifecycle::default())
}

/// Weighs an entry by the memory it takes, and by so much at least that one more than there should be does not fit in.
#[derive(Clone, Copy)]
pub(crate) struct EvenShare {
    least: u64,
}

impl EvenShare {
    fn new(entries: usize, bytes: u64) -> Self {
        Self {
            least: bytes / (entries as u64).saturating_add(1) + 1,
        }
    }

    /// What an entry of so many bytes weighs.
    pub(crate) fn weigh(self, bytes: usize) -> u64 {
        (bytes as u64).max(self.least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers, each of which takes so many bytes.
    #[derive(Clone)]
    struct Of(usize);

    impl Weighter<u32, Of> for EvenShare {
        fn weight(&self, _: &u32, Of(bytes): &Of) -> u64 {
            self.weigh(*bytes)
        }
    }

    fn full(entries: usize, bytes: u64, each: usize) -> Bounded<u32, Of> {
        let cache = cache(entries, bytes);
        for number in 0..10_000 {
            cache.insert(number, Of(each));
        }
        cache
    }

    #[test]
    fn there_are_nearly_as_many_as_there_is_room_for_and_no_more() {
        for (entries, bytes, each, room) in [
            (1000, 1 << 30, 100, 1000),
            (1000, 100_000, 1000, 100),
            (1_000_000, 4 << 20, 40_000, 104),
            (1, 1 << 20, 10, 1),
        ] {
            let cache = full(entries, bytes, each);
            assert!(cache.len() <= room, "{} of {room}", cache.len());
            assert!(cache.len() * 5 >= room * 3, "{} of {room}", cache.len());
            assert!(cache.weight() <= bytes, "{} of {bytes}", cache.weight());
        }
    }

    #[test]
    fn what_fits_into_the_least_part_is_kept_in_any_cache_that_has_as_much_room() {
        // A part keeps some of its room for what is new.
        let least = LEAST_PART as usize * 9 / 10;
        assert_ne!(full(10_000, LEAST_PART, least).len(), 0);
        assert_ne!(full(10_000, 1 << 20, least).len(), 0);
        assert_ne!(full(10_000, 1 << 30, least).len(), 0);
    }

    #[test]
    fn with_no_room_nothing_is_kept() {
        for (entries, bytes) in [(0, 1 << 20), (0, 0), (10, 0)] {
            assert_eq!(full(entries, bytes, 10).len(), 0);
        }
    }
}
