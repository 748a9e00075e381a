//! Which keys were asked for in vain.

use crate::{Algorithm, KeySet, UnixTime};
use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    time::Duration,
};

/// The most that are remembered.
const MOST: usize = 1024;

/// How long a key that a fetch did not bring counts as absent. Short, as whoever guesses the `kid` of
/// a key that is still to come, or has no need to since it will have none, can have it remembered.
const ABSENT_FOR: Duration = Duration::from_secs(10);

/// A `kid`, with the algorithm it was asked for: 64 bits of a hash under a key that nobody knows, so
/// that they cost the same whatever the token's author put into it.
type Name = u64;

/// Keys that were asked for, and that a fetch begun after that did not bring.
///
/// A fetch says nothing of what was asked for while it was under way: the key may be newer than the
/// answer. So it settles only what was asked for before it began.
#[derive(Debug, Default)]
pub(super) struct Absent {
    hasher: RandomState,
    marks: HashMap<Name, Mark>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Asked,
    /// Asked for before the fetch that is under way began.
    Pending,
    Since(UnixTime),
}

impl Absent {
    fn name(&self, kid: Option<&str>, algorithm: Algorithm) -> Name {
        self.hasher.hash_one((kid, algorithm))
    }

    /// Remembers that a key is asked for, unless a fetch has just failed to bring it, which is what it
    /// answers.
    pub(super) fn ask(&mut self, kid: Option<&str>, algorithm: Algorithm, now: UnixTime) -> bool {
        let name = self.name(kid, algorithm);
        match self.marks.get_mut(&name) {
            Some(Mark::Since(since)) if lasts(*since, now) => return true,
            Some(mark @ Mark::Since(_)) => *mark = Mark::Asked,
            Some(Mark::Asked | Mark::Pending) => {}
            None => {
                if self.marks.len() < MOST {
                    self.marks.insert(name, Mark::Asked);
                }
            }
        }
        false
    }

    /// A fetch begins.
    pub(super) fn begin(&mut self) {
        for mark in self.marks.values_mut() {
            if *mark == Mark::Asked {
                *mark = Mark::Pending;
            }
        }
    }

    /// The fetch brought these keys: what it was asked for and did not bring is absent. A key that is
    /// asked for without a name may be any that is new.
    pub(super) fn settle(&mut self, keys: &KeySet, changed: bool, now: UnixTime) {
        for key in keys.iter() {
            let algorithm = key.algorithm();
            self.marks.remove(&self.name(key.kid(), algorithm));
            if changed {
                self.marks.remove(&self.name(None, algorithm));
            }
        }
        self.marks.retain(|_, mark| match mark {
            Mark::Asked => true,
            Mark::Pending => {
                *mark = Mark::Since(now);
                true
            }
            Mark::Since(since) => lasts(*since, now),
        });
    }

    /// The fetch failed: nothing is known.
    pub(super) fn fail(&mut self) {
        self.marks.retain(|_, mark| *mark != Mark::Pending);
    }
}

/// By a clock that went backwards, it does not last.
fn lasts(since: UnixTime, now: UnixTime) -> bool {
    since <= now && now.saturating_since(since) < ABSENT_FOR
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SigningKey, VerifyingKey};

    const ALGORITHM: Algorithm = Algorithm::ES256;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(1_000_000 + seconds)
    }

    /// Whether a fetch that is made now leaves a key absent that was asked for.
    fn fetch(absent: &mut Absent, now: UnixTime) {
        absent.begin();
        absent.settle(&KeySet::default(), false, now);
    }

    fn ask(absent: &mut Absent, kid: &str, now: UnixTime) -> bool {
        absent.ask(Some(kid), ALGORITHM, now)
    }

    #[test]
    fn only_what_was_asked_for_before_a_fetch_began_is_settled_by_it() {
        let mut absent = Absent::default();
        ask(&mut absent, "before", at(0));
        absent.begin();
        ask(&mut absent, "during", at(0));
        absent.settle(&KeySet::default(), false, at(0));
        assert!(ask(&mut absent, "before", at(0)));
        assert!(!ask(&mut absent, "during", at(0)));
        fetch(&mut absent, at(1));
        assert!(ask(&mut absent, "during", at(1)));
    }

    #[test]
    fn what_a_fetch_brings_is_not_absent() {
        let mut absent = Absent::default();
        let key = SigningKey::generate(ALGORITHM).unwrap();
        let key = VerifyingKey::from_jwk(ALGORITHM, key.jwk()).unwrap();
        let kid = key.kid().unwrap().to_owned();
        for changed in [true, false] {
            ask(&mut absent, &kid, at(0));
            ask(&mut absent, "another", at(0));
            absent.ask(None, ALGORITHM, at(0));
            absent.begin();
            let keys = KeySet::from_iter([VerifyingKey::from_jwk(ALGORITHM, key.jwk()).unwrap()]);
            absent.settle(&keys, changed, at(0));
            assert!(!ask(&mut absent, &kid, at(0)));
            assert!(ask(&mut absent, "another", at(0)));
            assert_eq!(absent.ask(None, ALGORITHM, at(0)), !changed);
        }
    }

    #[test]
    fn a_fetch_that_fails_settles_nothing() {
        let mut absent = Absent::default();
        ask(&mut absent, "a", at(0));
        absent.begin();
        absent.fail();
        fetch(&mut absent, at(0));
        assert!(!ask(&mut absent, "a", at(0)));
    }

    #[test]
    fn absence_lasts_for_ten_seconds_by_any_clock() {
        let mut absent = Absent::default();
        ask(&mut absent, "a", at(1000));
        fetch(&mut absent, at(1000));
        assert!(ask(&mut absent, "a", at(1009)));
        assert!(!ask(&mut absent, "a", at(1010)));
        fetch(&mut absent, at(1010));
        assert!(!ask(&mut absent, "a", at(0)));
    }

    #[test]
    fn a_key_is_known_by_its_name_and_algorithm() {
        let mut absent = Absent::default();
        ask(&mut absent, "a", at(0));
        fetch(&mut absent, at(0));
        assert!(ask(&mut absent, "a", at(0)));
        assert!(!ask(&mut absent, "b", at(0)));
        assert!(!absent.ask(Some("a"), Algorithm::ES384, at(0)));
        assert!(!absent.ask(None, ALGORITHM, at(0)));
    }

    #[test]
    fn a_flood_is_remembered_within_bounds_and_forgotten() {
        let mut absent = Absent::default();
        for n in 0..10_000_u64 {
            ask(&mut absent, &n.to_string(), at(0));
            if n % 100 == 0 {
                fetch(&mut absent, at(0));
            }
        }
        assert_eq!(absent.marks.len(), MOST);
        fetch(&mut absent, at(60));
        fetch(&mut absent, at(120));
        assert_eq!(absent.marks.len(), 0);
    }
}
