//! What others rely on: the times that a ring keeps to.

use crate::rotation::rule::{self, Rule};
use serde::{Deserialize, Serialize};
use std::time::Duration;

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
    use crate::RotationPolicy;
    use std::time::Duration;

    #[test]
    fn two_promises_together_are_the_longer_times() {
        let a = RotationPolicy::default().promise();
        let mut b = a;
        b.max_age = Duration::from_secs(1);
        b.token_life = Duration::from_secs(100_000);
        let both = a.and(&b);
        assert_eq!((both.max_age, both.token_life), (a.max_age, b.token_life));
    }
}
