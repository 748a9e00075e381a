//! When to fetch, and how long what was fetched is good for. No clock is read here.

use crate::ConfigError;
use std::{ops::RangeInclusive, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The first pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause while there are keys, and while there are none, so that nothing works.
const LONGEST_PAUSE: Duration = MINUTE;
const LONGEST_PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(5);

/// The longest pause that a provider may ask for with `Retry-After`, then. Whoever floods us with
/// forged tokens may be why it asks, and must not keep a new key out for longer.
const LONGEST_ASKED_PAUSE: Duration = MINUTE;
const LONGEST_ASKED_PAUSE_WITHOUT_KEYS: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub(super) struct Timing {
    /// Bounds of what the provider says.
    pub(super) lifetime: RangeInclusive<Duration>,
    /// Where it says nothing.
    pub(super) default_lifetime: Duration,
    /// How long keys are good for after their lifetime, when they cannot be fetched.
    pub(super) stale_if_error: Duration,
    /// A whole fetch, discovery included.
    pub(super) time_limit: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            lifetime: MINUTE..=DAY,
            default_lifetime: 10 * MINUTE,
            stale_if_error: DAY,
            time_limit: Duration::from_secs(5),
        }
    }
}

impl Timing {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong =
            |field: &'static str, message: &'static str| Err(ConfigError::new(field, message));
        if *self.lifetime.start() < Duration::from_secs(1) {
            return wrong("lifetime", "is less than a second at least");
        }
        if self.lifetime.is_empty() {
            return wrong("lifetime", "has a lower bound above the upper one");
        }
        if *self.lifetime.end() > 7 * DAY {
            return wrong("lifetime", "is more than seven days at most");
        }
        if self.stale_if_error > 30 * DAY {
            return wrong("stale_if_error", "is more than 30 days");
        }
        if self.time_limit.is_zero() || self.time_limit > MINUTE {
            return wrong("time_limit", "is not between nothing and a minute");
        }
        Ok(())
    }

    /// How long the keys are fresh, by what the provider said.
    pub(super) fn fresh_for(&self, told: Option<Duration>) -> Duration {
        told.unwrap_or(self.default_lifetime)
            .clamp(*self.lifetime.start(), *self.lifetime.end())
    }
}

/// When to fetch again after a success: at 75 to 90 percent of the lifetime, so that the next keys
/// are there before these expire and no two gateways ask in step. `random` is from 0 to 1.
pub(super) fn refresh_after(fresh_for: Duration, random: f64) -> Duration {
    fresh_for.mul_f64(0.75 + 0.15 * random.clamp(0.0, 1.0))
}

/// When to fetch again after so many failures in a row: twice as long each time, up to half of it off
/// by chance, and not before the provider asked for.
pub(super) fn retry_after(
    failures: u32,
    has_keys: bool,
    asked: Option<Duration>,
    random: f64,
) -> Duration {
    let (longest, longest_asked) = if has_keys {
        (LONGEST_PAUSE, LONGEST_ASKED_PAUSE)
    } else {
        (LONGEST_PAUSE_WITHOUT_KEYS, LONGEST_ASKED_PAUSE_WITHOUT_KEYS)
    };
    let doublings = failures.saturating_sub(1).min(16);
    let pause = FIRST_PAUSE
        .saturating_mul(1 << doublings)
        .min(longest)
        .mul_f64(0.5 + 0.5 * random.clamp(0.0, 1.0));
    pause.max(asked.unwrap_or_default().min(longest_asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_provider_says_is_kept_within_bounds() {
        let timing = Timing::default();
        for (told, expected) in [
            (None, 600),
            (Some(0), 60),
            (Some(59), 60),
            (Some(300), 300),
            (Some(86_400), 86_400),
            (Some(u64::MAX), 86_400),
        ] {
            let fresh = timing.fresh_for(told.map(Duration::from_secs));
            assert_eq!(fresh.as_secs(), expected, "{told:?}");
        }
    }

    #[test]
    fn a_refresh_comes_ahead_of_expiry_by_a_share_that_is_left_to_chance() {
        let at = |random| refresh_after(Duration::from_secs(600), random).as_secs();
        assert_eq!((at(0.0), at(0.5), at(1.0)), (450, 495, 540));
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_are_shorter_by_chance() {
        let longest = |failures| retry_after(failures, true, None, 1.0).as_secs();
        let pauses: Vec<u64> = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map(longest).to_vec();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(retry_after(7, true, None, 0.0).as_secs(), 30);
        assert_eq!(retry_after(7, false, None, 1.0).as_secs(), 5);
    }

    #[test]
    fn a_provider_may_ask_for_a_longer_pause_of_a_minute_at_most() {
        let asked =
            |seconds| retry_after(1, true, Some(Duration::from_secs(seconds)), 1.0).as_secs();
        assert_eq!((asked(0), asked(20), asked(u64::MAX)), (1, 20, 60));
    }
}
