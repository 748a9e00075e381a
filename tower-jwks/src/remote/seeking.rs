//! Whether a token with an unknown `kid` has the keys fetched.

use super::{absent::Absent, budget::Budget};
use crate::{Algorithm, KeySet, UnixTime};

/// Decides, by what was fetched and asked for before. Knows no time but what it is told, and waits
/// for nothing.
#[derive(Debug)]
pub(super) struct Seeking {
    budget: Budget,
    absent: Absent,
    fetch: Fetch,
    /// Until when the provider has asked to be left alone.
    paused_until: Option<UnixTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fetch {
    None,
    /// A token has asked for one that has not begun.
    Requested,
    UnderWay,
}

/// What becomes of a token that asks for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing is fetched for it now.
    No,
    /// A fetch is on its way that may bring the key.
    Wait,
    /// The same, and it is this token that has it made; so many more can be.
    Begin { budget_left: u32 },
}

impl Seeking {
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            budget,
            absent: Absent::default(),
            fetch: Fetch::None,
            paused_until: None,
        }
    }

    pub(super) fn ask(&mut self, kid: Option<&str>, algorithm: Algorithm, now: UnixTime) -> Answer {
        if self.absent.ask(kid, algorithm, now) {
            return Answer::No;
        }
        if self.fetch != Fetch::None {
            return Answer::Wait;
        }
        // A provider that asks for it is left alone, whoever asks here. One that fails is asked within
        // the budget: it may be back, with the key.
        let paused = self.paused_until.is_some_and(|end| now < end);
        if paused || !self.budget.take(now) {
            return Answer::No;
        }
        self.fetch = Fetch::Requested;
        Answer::Begin {
            budget_left: self.budget.left(now),
        }
    }

    /// Whether a token has asked for a fetch that has not begun.
    pub(super) fn is_requested(&self) -> bool {
        self.fetch == Fetch::Requested
    }

    /// A fetch begins. Whether a token has asked for it.
    pub(super) fn begin(&mut self) -> bool {
        let requested = self.is_requested();
        self.fetch = Fetch::UnderWay;
        self.absent.begin();
        requested
    }

    /// It has brought these keys.
    pub(super) fn succeed(&mut self, keys: &KeySet, changed: bool, now: UnixTime) {
        self.absent.settle(keys, changed, now);
        self.fetch = Fetch::None;
        self.paused_until = None;
    }

    /// It has failed; the provider may have asked to be left alone until then.
    pub(super) fn fail(&mut self, paused_until: Option<UnixTime>) {
        self.absent.fail();
        self.fetch = Fetch::None;
        self.paused_until = paused_until;
    }

    pub(super) fn budget_left(&mut self, now: UnixTime) -> u32 {
        self.budget.left(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(1_000_000 + seconds)
    }

    fn seeking() -> Seeking {
        Seeking::new(Budget::new(2, Duration::from_secs(5), at(0)).unwrap())
    }

    fn ask(seeking: &mut Seeking, kid: &str, now: UnixTime) -> Answer {
        seeking.ask(Some(kid), Algorithm::ES256, now)
    }

    #[test]
    fn the_first_has_a_fetch_made_and_the_others_wait_for_it() {
        let mut seeking = seeking();
        assert_eq!(
            ask(&mut seeking, "a", at(0)),
            Answer::Begin { budget_left: 1 }
        );
        assert_eq!(ask(&mut seeking, "b", at(0)), Answer::Wait);
        assert!(seeking.begin());
        assert_eq!(ask(&mut seeking, "c", at(0)), Answer::Wait);
        seeking.succeed(&KeySet::default(), false, at(0));
        // The fetch has answered for those that asked before it began.
        assert_eq!(ask(&mut seeking, "a", at(0)), Answer::No);
        assert_eq!(ask(&mut seeking, "b", at(0)), Answer::No);
        assert_eq!(
            ask(&mut seeking, "c", at(0)),
            Answer::Begin { budget_left: 0 }
        );
    }

    #[test]
    fn without_a_budget_there_is_no_fetch_until_it_grows() {
        let mut seeking = seeking();
        for (kid, second, expected) in [
            ("a", 0, Answer::Begin { budget_left: 1 }),
            ("b", 0, Answer::Begin { budget_left: 0 }),
            ("c", 0, Answer::No),
            ("c", 4, Answer::No),
            ("d", 5, Answer::Begin { budget_left: 0 }),
        ] {
            assert_eq!(ask(&mut seeking, kid, at(second)), expected);
            if expected != Answer::No {
                seeking.begin();
                seeking.succeed(&KeySet::default(), false, at(second));
            }
        }
        // That last fetch was for the one that had to wait, too.
        assert_eq!(ask(&mut seeking, "c", at(5)), Answer::No);
    }

    #[test]
    fn a_fetch_by_the_timer_is_waited_for_and_costs_nothing() {
        let mut seeking = seeking();
        assert!(!seeking.begin());
        assert_eq!(ask(&mut seeking, "a", at(0)), Answer::Wait);
        assert_eq!(seeking.budget_left(at(0)), 2);
    }

    #[test]
    fn a_provider_is_left_alone_for_as_long_as_it_asks_and_only_then() {
        let mut seeking = seeking();
        seeking.begin();
        seeking.fail(None);
        assert_eq!(
            ask(&mut seeking, "a", at(0)),
            Answer::Begin { budget_left: 1 }
        );
        seeking.begin();
        seeking.fail(Some(at(60)));
        assert_eq!(ask(&mut seeking, "a", at(59)), Answer::No);
        assert_eq!(
            ask(&mut seeking, "a", at(60)),
            Answer::Begin { budget_left: 1 }
        );
    }
}
