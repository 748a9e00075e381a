//! How many fetches tokens with an unknown `kid` may cause.

use crate::{ConfigError, UnixTime};
use std::time::Duration;

/// So many at once, and one more each interval: what a flood cannot exceed, and cannot use up for
/// longer than one interval, since each fetch brings every key there is.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    burst: u32,
    interval: Duration,
    left: u32,
    /// When `left` last grew, or was full.
    since: UnixTime,
}

impl Budget {
    pub(super) fn new(burst: u32, interval: Duration, now: UnixTime) -> Result<Self, ConfigError> {
        let wrong = |message| Err(ConfigError::new("unknown_kid_budget", message));
        if burst == 0 {
            return wrong("is for no fetch at all");
        }
        if interval < Duration::from_secs(1) {
            return wrong("has an interval of less than a second");
        }
        Ok(Self {
            burst,
            interval,
            left: burst,
            since: now,
        })
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, now: UnixTime) -> bool {
        self.grow(now);
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    pub(super) fn left(&mut self, now: UnixTime) -> u32 {
        self.grow(now);
        self.left
    }

    fn grow(&mut self, now: UnixTime) {
        // A clock that went backwards takes nothing away, and must not stop the growth either.
        if self.left == self.burst || now < self.since {
            self.since = now;
            return;
        }
        let intervals = now.saturating_since(self.since).as_secs() / self.interval.as_secs();
        let grown = u64::from(self.left).saturating_add(intervals);
        match u32::try_from(grown) {
            Ok(left) if left < self.burst => {
                self.left = left;
                self.since = self
                    .since
                    .saturating_add(Duration::from_secs(intervals * self.interval.as_secs()));
            }
            _ => {
                self.left = self.burst;
                self.since = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_000_000;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_secs(START + seconds)
    }

    fn budget() -> Budget {
        Budget::new(3, Duration::from_secs(5), at(0)).unwrap()
    }

    #[test]
    fn a_flood_gets_the_burst_and_then_one_each_interval() {
        let mut budget = budget();
        let taken = (0..60_000).filter(|n| budget.take(at(n / 1000))).count();
        // 3 at once, and one in each of the seconds 5, 10, … 55.
        assert_eq!(taken, 3 + 11);
    }

    #[test]
    fn what_was_not_taken_adds_up_to_the_burst_and_no_further() {
        let mut budget = budget();
        assert!(budget.take(at(0)) && budget.take(at(0)) && budget.take(at(0)));
        assert_eq!(budget.left(at(4)), 0);
        assert_eq!(budget.left(at(5)), 1);
        assert_eq!(budget.left(at(9)), 1);
        assert_eq!(budget.left(at(10)), 2);
        assert_eq!(budget.left(at(1_000_000)), 3);
        assert_eq!(budget.left(UnixTime::from_secs(u64::MAX)), 3);
    }

    #[test]
    fn a_clock_that_goes_backwards_neither_gives_nor_stops_anything() {
        let mut budget = budget();
        assert!(budget.take(at(100)) && budget.take(at(100)) && budget.take(at(100)));
        assert!(!budget.take(at(0)));
        assert!(!budget.take(at(4)));
        assert!(budget.take(at(5)));
    }

    #[test]
    fn a_budget_for_nothing_is_refused() {
        assert!(Budget::new(0, Duration::from_secs(5), at(0)).is_err());
        assert!(Budget::new(1, Duration::from_millis(999), at(0)).is_err());
    }
}
