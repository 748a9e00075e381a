//! Which times go together, and which do not.

use super::RotationPolicy;
use crate::{ConfigError, rotation::human::Human};
use std::time::Duration;

/// The most retiring keys that a policy may lead to.
const MOST_RETIRING: u32 = 16;

/// No time of a policy is longer: 10 years.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// Builds a [`RotationPolicy`]. Times are whole seconds.
#[derive(Clone, Debug)]
#[must_use]
pub struct RotationPolicyBuilder {
    policy: RotationPolicy,
    poll: Option<Duration>,
}

impl RotationPolicyBuilder {
    pub(super) fn new() -> Self {
        Self {
            policy: RotationPolicy::default(),
            poll: None,
        }
    }

    /// How long a key signs before the next one does. Default: 30 days.
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.policy.interval = interval;
        self
    }

    /// How long a verifier may keep the published set: what `Cache-Control` says. Default: 10 minutes.
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.policy.promise.max_age = max_age;
        self
    }

    /// How long a change of the store may take to reach every replica. One that has not read the store for
    /// that long neither signs nor publishes: it is also the longest outage of the store that does no harm. A new
    /// key waits for longer by as much. Default: 5 minutes.
    pub const fn propagation(mut self, propagation: Duration) -> Self {
        self.policy.promise.propagation = propagation;
        self
    }

    /// How often the store is read at least; up to a tenth more often, so that replicas do not come together.
    /// Default: 10 seconds, or what goes twice into a shorter `propagation`.
    pub const fn poll(mut self, poll: Duration) -> Self {
        self.poll = Some(poll);
        self
    }

    /// How much longer than `max_age` a verifier that ignores our header fields keeps the set. Default: 20
    /// minutes, Istio's interval; an hour covers most others.
    pub const fn grace(mut self, grace: Duration) -> Self {
        self.policy.promise.grace = grace;
        self
    }

    /// How far apart the clocks of replicas and verifiers may be. Default: a minute.
    pub const fn clock_skew(mut self, clock_skew: Duration) -> Self {
        self.policy.promise.clock_skew = clock_skew;
        self
    }

    /// The longest life of a token that is signed with the ring's keys. Default: an hour.
    pub const fn token_life(mut self, token_life: Duration) -> Self {
        self.policy.promise.token_life = token_life;
        self
    }

    /// What `Cache-Control` says for a while after a key was revoked. Default: a minute, or
    /// `max_age` if that is shorter.
    pub const fn emergency_max_age(mut self, max_age: Duration) -> Self {
        self.policy.emergency_max_age = max_age;
        self
    }

    /// The policy.
    ///
    /// # Errors
    ///
    /// A time has a fraction of a second, is zero where that makes no sense, or is over 10 years; the store is
    /// read less than twice in `propagation`; `propagation` is under `clock_skew`; or a key signs for less time
    /// than it takes to announce the next one, or so short that more than 16 were kept for their tokens.
    pub fn build(self) -> Result<RotationPolicy, ConfigError> {
        let Self { mut policy, poll } = self;
        let promise = policy.promise;
        // Times are whole seconds, so that the time a replica has may be a second shorter.
        let longest_poll = promise.propagation.as_secs().saturating_sub(1) / 2;
        let longest_poll = Duration::from_secs(longest_poll);
        policy.poll = poll.unwrap_or(policy.poll.min(longest_poll).max(Duration::from_secs(1)));
        policy.emergency_max_age = policy.emergency_max_age.min(promise.max_age);
        for (field, time, may_be_zero) in [
            ("interval", policy.interval, false),
            ("poll", policy.poll, false),
            ("max_age", promise.max_age, true),
            ("propagation", promise.propagation, false),
            ("grace", promise.grace, true),
            ("clock_skew", promise.clock_skew, true),
            ("token_life", promise.token_life, false),
            ("emergency_max_age", policy.emergency_max_age, true),
        ] {
            let wrong = |message| Err(ConfigError::new(field, message));
            if time.subsec_nanos() > 0 {
                return wrong("has a fraction of a second");
            }
            if time.is_zero() && !may_be_zero {
                return wrong("is zero");
            }
            if time > LONGEST {
                return wrong("is over 10 years");
            }
        }
        let wrong = |field, relation: &str, bound| {
            let message = format!("is {relation}, {}", Human(bound));
            Err(ConfigError::new(field, message))
        };
        if policy.poll > longest_poll {
            let relation = "too long to read the store twice in less than `propagation`";
            return wrong("poll", relation, promise.propagation);
        }
        if promise.clock_skew > promise.propagation {
            return wrong("clock_skew", "over `propagation`", promise.propagation);
        }
        if policy.interval < promise.announcement() {
            let relation = "under the time for which a key is announced (`propagation` + `max_age` + `grace` \
                + twice `clock_skew`)";
            return wrong("interval", relation, promise.announcement());
        }
        if policy.interval.saturating_mul(MOST_RETIRING) < promise.afterlife() {
            let relation = "under a 16th of the time for which a key is kept for its tokens \
                (`propagation` + `token_life` + three times `clock_skew`)";
            return wrong("interval", relation, promise.afterlife());
        }
        Ok(policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn what_could_not_keep_its_promise_cannot_be_built() {
        let builder = RotationPolicy::builder;
        for (policy, error) in [
            (builder().interval(secs(0)), "interval: is zero"),
            (
                builder().max_age(Duration::from_millis(1500)),
                "max_age: has a fraction of a second",
            ),
            (
                builder().grace(Duration::MAX),
                "grace: has a fraction of a second",
            ),
            (builder().grace(secs(u64::MAX)), "grace: is over 10 years"),
            (
                builder().propagation(secs(20)).poll(secs(10)),
                "poll: is too long to read the store twice in less than `propagation`, 20s",
            ),
            (
                builder().clock_skew(secs(301)),
                "clock_skew: is over `propagation`, 5m 0s",
            ),
            (
                builder().interval(secs(37 * 60 - 1)),
                "interval: is under the time for which a key is announced (`propagation` + `max_age` \
                 + `grace` + twice `clock_skew`), 37m 0s",
            ),
            (
                builder().interval(secs(3600)).token_life(secs(16 * 3600)),
                "interval: is under a 16th of the time for which a key is kept for its tokens \
                 (`propagation` + `token_life` + three times `clock_skew`), 16h 8m",
            ),
        ] {
            assert_eq!(policy.build().unwrap_err().to_string(), error);
        }
        assert!(builder().build().is_ok());
        assert!(builder().interval(secs(37 * 60)).build().is_ok());
    }

    #[test]
    fn a_short_propagation_is_polled_often_enough() {
        let poll = |propagation| {
            let policy = RotationPolicy::builder()
                .clock_skew(secs(1))
                .propagation(secs(propagation));
            policy.build().map(|policy| policy.poll())
        };
        assert_eq!(poll(300), Ok(secs(10)));
        assert_eq!(poll(20), Ok(secs(9)));
        assert_eq!(poll(3), Ok(secs(1)));
        assert!(poll(2).is_err());
    }

    #[test]
    fn an_emergency_asks_for_no_longer_age_than_every_day() {
        let policy = RotationPolicy::builder().max_age(secs(5)).build().unwrap();
        assert_eq!(policy.emergency_max_age, secs(5));
    }
}
