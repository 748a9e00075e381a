//! When keys change, and what everybody can rely on while they do.

use super::rule::{self, Rule};
use crate::ConfigError;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The most keys a ring holds at once, whatever is asked of it.
pub(super) const MOST_KEYS: usize = 32;

/// The most retiring keys that a policy may lead to.
const MOST_RETIRING: u32 = 16;

/// In the place of an interval that is others' to know: never is anything due because of it.
const UNKNOWN: Duration = Duration::MAX;

/// No time of a policy is longer: 10 years.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// When the keys of a ring change, and the times by which nothing breaks when they do.
///
/// A key is published before it signs, until every verifier can have it: [`announcement`]. It stays
/// published after it has signed, until its last token is expired: [`afterlife`]. Both follow from the times
/// given here; a policy that could not keep its promise cannot be built.
///
/// What was promised stays promised: a process with a shorter [`max_age`] or [`token_life`] goes by the longest
/// that the ring has ever had.
///
#[doc = include_str!("../../docs/rotation.svg")]
///
/// ```
/// use std::time::Duration;
/// use tower_jwks::RotationPolicy;
///
/// let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
/// let policy = RotationPolicy::builder()
///     .max_age(minutes(5))
///     .grace(minutes(60)) // verifiers that fetch once an hour, whatever we say
///     .token_life(minutes(15))
///     .build()?;
/// assert_eq!(policy.announcement(), minutes(5 + 5 + 60 + 2));
/// assert_eq!(policy.afterlife(), minutes(5 + 15 + 3));
///
/// // A replica would stop signing between two looks at the store.
/// let error = RotationPolicy::builder().poll(minutes(10)).build().unwrap_err();
/// assert_eq!(error.to_string(), "poll: is too long to read the store twice in less than `propagation`, 5m 0s");
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
///
/// [`announcement`]: Self::announcement
/// [`afterlife`]: Self::afterlife
/// [`max_age`]: RotationPolicyBuilder::max_age
/// [`token_life`]: RotationPolicyBuilder::token_life
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationPolicy {
    pub(super) interval: Duration,
    pub(super) poll: Duration,
    pub(super) emergency_max_age: Duration,
    pub(super) promise: Promise,
}

impl RotationPolicy {
    /// A policy that starts from the defaults.
    pub fn builder() -> RotationPolicyBuilder {
        RotationPolicyBuilder {
            policy: Self::default(),
            poll: None,
        }
    }

    /// The policy of who signs nothing, and so has nothing to promise.
    pub(super) fn of_a_tool(promise: Promise) -> Self {
        Self {
            interval: UNKNOWN,
            promise,
            ..Self::default()
        }
    }

    /// How long a key signs.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    pub(super) fn known_interval(&self) -> Option<Duration> {
        Some(self.interval).filter(|interval| *interval != UNKNOWN)
    }

    /// How often the store is read.
    #[must_use]
    pub const fn poll(&self) -> Duration {
        self.poll
    }

    /// How long a new key is published before it signs: `propagation` + `max_age` + `grace` + twice `clock_skew`.
    /// 37 minutes by default.
    #[must_use]
    pub fn announcement(&self) -> Duration {
        self.promise.announcement()
    }

    /// How long a key is published after another signs: `propagation` + `token_life` + three times
    /// `clock_skew`. 68 minutes by default.
    #[must_use]
    pub fn afterlife(&self) -> Duration {
        self.promise.afterlife()
    }

    /// The longest life of a token.
    #[must_use]
    pub const fn token_life(&self) -> Duration {
        self.promise.token_life
    }

    pub(super) const fn promise(&self) -> Promise {
        self.promise
    }
}

impl Default for RotationPolicy {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            interval: minutes(30 * 24 * 60),
            poll: Duration::from_secs(10),
            emergency_max_age: minutes(1),
            promise: Promise {
                max_age: minutes(10),
                propagation: minutes(5),
                grace: minutes(20),
                clock_skew: minutes(1),
                token_life: minutes(60),
            },
        }
    }
}

/// The times that others rely on. They are part of a ring's state, and never get shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Promise {
    #[serde(with = "seconds")]
    pub(crate) max_age: Duration,
    #[serde(with = "seconds")]
    pub(crate) propagation: Duration,
    #[serde(with = "seconds")]
    pub(crate) grace: Duration,
    #[serde(with = "seconds")]
    pub(crate) clock_skew: Duration,
    #[serde(with = "seconds")]
    pub(crate) token_life: Duration,
}

impl Promise {
    /// From the moment at which a key was read to be published, until it may sign.
    ///
    /// A replica answers without the key for as long as it may go on without reading the store, one step of
    /// its clock included; who has that answer keeps it for `max_age`, or for as long as they like within
    /// the grace; and the clock of the one that signs may be ahead.
    pub(crate) fn announcement(&self) -> Duration {
        let mut wait = Duration::ZERO;
        for (rule, time) in [
            (Rule::AnnounceForPropagation, self.propagation),
            (Rule::AnnounceForMaxAge, self.max_age),
            (Rule::AnnounceForGrace, self.grace),
            (Rule::AnnounceForSkew, self.clock_skew.saturating_mul(2)),
        ] {
            if rule::holds(rule) {
                wait = wait.saturating_add(time);
            }
        }
        wait
    }

    /// From the moment at which a key was read to sign no more, until it is gone.
    ///
    /// A replica signs with it for as long as it may go on without reading the store, one step of its clock
    /// included; the token lives by that clock; who verifies may be behind it, and who removes the key ahead.
    pub(crate) fn afterlife(&self) -> Duration {
        let mut wait = Duration::ZERO;
        for (rule, time) in [
            (Rule::RetireForPropagation, self.propagation),
            (Rule::RetireForTokenLife, self.token_life),
            (Rule::RetireForSkew, self.clock_skew.saturating_mul(3)),
        ] {
            if rule::holds(rule) {
                wait = wait.saturating_add(time);
            }
        }
        wait
    }

    /// For how long after a key was revoked an answer that has it can be held by somebody.
    pub(crate) const fn memory(&self) -> Duration {
        self.propagation
            .saturating_add(self.max_age)
            .saturating_add(self.grace)
            .saturating_add(self.clock_skew.saturating_mul(2))
    }

    /// What keeps both promises.
    #[must_use]
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            max_age: self.max_age.max(other.max_age),
            propagation: self.propagation.max(other.propagation),
            grace: self.grace.max(other.grace),
            clock_skew: self.clock_skew.max(other.clock_skew),
            token_life: self.token_life.max(other.token_life),
        }
    }
}

/// Builds a [`RotationPolicy`]. Times are whole seconds.
#[derive(Clone, Debug)]
#[must_use]
pub struct RotationPolicyBuilder {
    policy: RotationPolicy,
    poll: Option<Duration>,
}

impl RotationPolicyBuilder {
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

/// A duration in words.
pub(super) struct Human(pub(super) Duration);

impl std::fmt::Display for Human {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secs = self.0.as_secs();
        let (days, hours) = (secs / 86_400, secs / 3600 % 24);
        let (minutes, secs) = (secs / 60 % 60, secs % 60);
        if days > 0 {
            write!(f, "{days}d {hours}h")
        } else if hours > 0 {
            write!(f, "{hours}h {minutes}m")
        } else if minutes > 0 {
            write!(f, "{minutes}m {secs}s")
        } else {
            write!(f, "{secs}s")
        }
    }
}

/// A duration as its whole seconds.
mod seconds {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::time::Duration;

    pub(super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.as_secs().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
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

    #[test]
    fn two_promises_together_are_the_longer_times() {
        let a = RotationPolicy::default().promise();
        let mut b = a;
        b.max_age = secs(1);
        b.token_life = secs(100_000);
        let both = a.and(&b);
        assert_eq!((both.max_age, both.token_life), (a.max_age, b.token_life));
    }
}
