//! Which keys were asked for in vain.

use crate::{Algorithm, UnixTime};
use std::{
    collections::{HashSet, VecDeque, hash_map::RandomState},
    hash::BuildHasher,
    mem,
    time::Duration,
};

/// The most that are remembered, of each kind.
const MOST: usize = 1024;

/// How long a key that a fetch did not bring counts as absent. Short, as whoever guesses the `kid` of
/// a key that is still to come can have it remembered.
const ABSENT_FOR: Duration = Duration::from_secs(30);

/// A `kid`, with the algorithm it was asked for: 64 bits of a hash under a key that nobody knows, so
/// that they cost the same whatever the token's author put into it.
pub(super) type Name = u64;

/// Keys that were asked for, and that a fetch begun after that did not bring.
///
/// A fetch says nothing of what was asked for while it was under way: the key may be newer than the
/// answer. So it settles only what was asked for before it began.
#[derive(Debug, Default)]
pub(super) struct Absent {
    hasher: RandomState,
    asked: HashSet<Name>,
    /// Asked for before the fetch that is under way began.
    pending: HashSet<Name>,
    absent: HashSet<Name>,
    /// The same, in the order in which they end.
    ends: VecDeque<(UnixTime, Name)>,
}

impl Absent {
    pub(super) fn name(&self, kid: Option<&str>, algorithm: Algorithm) -> Name {
        self.hasher.hash_one((kid, algorithm))
    }

    /// Whether a fetch has just failed to bring it.
    pub(super) fn contains(&mut self, name: Name, now: UnixTime) -> bool {
        while let Some((end, first)) = self.ends.front() {
            // A clock that went backwards must not keep it for longer.
            let lasts = *end > now && end.saturating_since(now) <= ABSENT_FOR;
            if lasts {
                break;
            }
            self.absent.remove(first);
            self.ends.pop_front();
        }
        self.absent.contains(&name)
    }

    /// It was asked for.
    pub(super) fn ask(&mut self, name: Name) {
        if self.asked.len() < MOST {
            self.asked.insert(name);
        }
    }

    /// A fetch begins.
    pub(super) fn begin(&mut self) {
        self.pending = mem::take(&mut self.asked);
    }

    /// The fetch brought keys: what it was asked for and did not bring is absent. What it brought
    /// is found before anybody asks here.
    pub(super) fn settle(&mut self, now: UnixTime) {
        let end = now.saturating_add(ABSENT_FOR);
        for name in mem::take(&mut self.pending) {
            if self.absent.insert(name) {
                self.ends.push_back((end, name));
            }
            if self.ends.len() > MOST
                && let Some((_, first)) = self.ends.pop_front()
            {
                self.absent.remove(&first);
            }
        }
    }

    /// The fetch failed: nothing is known.
    pub(super) fn fail(&mut self) {
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(1_000_000 + seconds)
    }

    fn fetch(absent: &mut Absent, now: UnixTime) {
        absent.begin();
        absent.settle(now);
    }

    #[test]
    fn only_what_was_asked_for_before_a_fetch_began_is_settled_by_it() {
        let mut absent = Absent::default();
        let [before, during] =
            ["before", "during"].map(|kid| absent.name(Some(kid), Algorithm::ES256));
        absent.ask(before);
        absent.begin();
        absent.ask(during);
        absent.settle(at(0));
        assert!(absent.contains(before, at(0)));
        assert!(!absent.contains(during, at(0)));
        fetch(&mut absent, at(1));
        assert!(absent.contains(during, at(1)));
    }

    #[test]
    fn a_fetch_that_fails_settles_nothing() {
        let mut absent = Absent::default();
        let name = absent.name(None, Algorithm::ES256);
        absent.ask(name);
        absent.begin();
        absent.fail();
        fetch(&mut absent, at(0));
        assert!(!absent.contains(name, at(0)));
    }

    #[test]
    fn absence_lasts_for_half_a_minute_by_any_clock() {
        let mut absent = Absent::default();
        let name = absent.name(Some("a"), Algorithm::ES256);
        absent.ask(name);
        fetch(&mut absent, at(1000));
        assert!(absent.contains(name, at(1029)));
        assert!(!absent.contains(name, at(1030)));
        absent.ask(name);
        fetch(&mut absent, at(1000));
        assert!(!absent.contains(name, at(0)));
    }

    #[test]
    fn a_name_is_that_of_a_kid_and_an_algorithm() {
        let absent = Absent::default();
        let name = absent.name(Some("a"), Algorithm::ES256);
        assert_ne!(name, absent.name(Some("a"), Algorithm::ES384));
        assert_ne!(name, absent.name(Some("b"), Algorithm::ES256));
        assert_ne!(name, absent.name(None, Algorithm::ES256));
    }

    #[test]
    fn a_flood_is_remembered_within_bounds() {
        let mut absent = Absent::default();
        for n in 0..10_000_u64 {
            let name = absent.name(Some(&n.to_string()), Algorithm::ES256);
            absent.ask(name);
            if n % 100 == 0 {
                fetch(&mut absent, at(0));
            }
        }
        assert!(absent.asked.len() <= MOST);
        assert_eq!(absent.absent.len(), MOST);
        assert_eq!(absent.ends.len(), MOST);
    }
}
