//! What happens in one run, as data: it can be repeated, and made smaller.

use crate::{ConfigError, RotationPolicy};
use std::time::Duration;

/// True time: quarters of a second, as clocks cut off what is less than a second.
pub(super) type Tick = u64;

pub(super) const SECOND: Tick = 4;

/// What is to happen to the next read or write happens to one that begins by then, or not at all.
pub(super) const SOON: Tick = 6 * SECOND;

/// The times of a policy, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) interval: u64,
    pub(super) poll: u64,
    pub(super) propagation: u64,
    pub(super) max_age: u64,
    pub(super) grace: u64,
    pub(super) clock_skew: u64,
    pub(super) token_life: u64,
    pub(super) emergency_max_age: u64,
}

/// By how much the times of one replica are longer than those of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Longer {
    pub(super) token_life: u64,
    pub(super) max_age: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Scenario {
    /// Of the small things: how long a read takes, when a token is asked for.
    pub(super) seed: u64,
    /// Whether the small things vary at all.
    pub(super) jitter: bool,
    pub(super) times: Times,
    /// The end of the first key, in seconds from its creation.
    pub(super) first_ends: Option<u64>,
    pub(super) replicas: Vec<ReplicaPlan>,
    pub(super) verifiers: Vec<VerifierPlan>,
    /// By their times.
    pub(super) actions: Vec<(Tick, Action)>,
    pub(super) end: Tick,
}

#[derive(Clone, Debug)]
pub(super) struct ReplicaPlan {
    pub(super) starts: Tick,
    /// How far its clock is ahead.
    pub(super) ahead: Tick,
    pub(super) longer: Longer,
}

#[derive(Clone, Debug)]
pub(super) struct VerifierPlan {
    pub(super) ahead: Tick,
    /// Keeps a set for as long as the grace allows, whatever the answer said.
    pub(super) ignores_ages: bool,
    /// How long an answer takes to reach it: part of the grace.
    pub(super) delay: Tick,
    /// The replica that it asks first.
    pub(super) asks: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A clock steps.
    ReplicaClock {
        replica: usize,
        ahead: Tick,
    },
    VerifierClock {
        verifier: usize,
        ahead: Tick,
    },
    /// The replica can neither read nor write.
    CutOff {
        replica: usize,
        ticks: Tick,
    },
    /// What it writes is written, and it does not hear of it.
    LoseAnswers {
        replica: usize,
        ticks: Tick,
    },
    /// The next read takes so long until the store has it, and so long until it is answered.
    SlowRead {
        replica: usize,
        before: Tick,
        after: Tick,
    },
    /// The next write takes so long until it is in force; who writes waits for it, or has given up before.
    SlowWrite {
        replica: usize,
        before: Tick,
        waits: bool,
    },
    /// The process does nothing, and goes on as if no time had passed.
    Freeze {
        replica: usize,
        ticks: Tick,
    },
    /// The process ends, and another takes its place, with these times.
    Restart {
        replica: usize,
        ticks: Tick,
        longer: Longer,
    },
    Rotate {
        replica: usize,
    },
    Revoke {
        replica: usize,
        which: Which,
    },
    /// A key from outside, that ends after so many seconds.
    Import {
        replica: usize,
        ends: u64,
    },
    /// The store has an older document for a time.
    Restore {
        epochs: u64,
        ticks: Tick,
    },
    /// The verifier asks another replica first.
    Ask {
        verifier: usize,
        replica: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Active,
    Pending,
    Retiring,
}

impl Times {
    pub(super) fn policy(&self, longer: Longer) -> Result<RotationPolicy, ConfigError> {
        let secs = Duration::from_secs;
        let max_age = self.max_age + longer.max_age;
        let least = self.propagation + max_age + self.grace + 2 * self.clock_skew;
        RotationPolicy::builder()
            .interval(secs(self.interval.max(least)))
            .poll(secs(self.poll))
            .propagation(secs(self.propagation))
            .max_age(secs(max_age))
            .grace(secs(self.grace))
            .clock_skew(secs(self.clock_skew))
            .token_life(secs(self.token_life + longer.token_life))
            .emergency_max_age(secs(self.emergency_max_age))
            .build()
    }
}

impl Scenario {
    /// Whether it can be run: its policies can be built, and nobody is spoken of who is not there.
    pub(super) fn is_sound(&self) -> bool {
        let policies = self.replicas.iter().map(|replica| replica.longer);
        let restarts = self.actions.iter().filter_map(|(_, action)| match action {
            Action::Restart { longer, .. } => Some(*longer),
            _ => None,
        });
        let all_there = self.actions.iter().all(|(_, action)| {
            action
                .replica()
                .is_none_or(|place| place < self.replicas.len())
                && action
                    .verifier()
                    .is_none_or(|place| place < self.verifiers.len())
        });
        let asks = |verifier: &VerifierPlan| verifier.asks < self.replicas.len();
        all_there
            && !self.replicas.is_empty()
            && self.verifiers.iter().all(asks)
            && policies
                .chain(restarts)
                .all(|longer| self.times.policy(longer).is_ok())
    }
}

impl Scenario {
    /// Whether there may be a time at which no key can sign, and nobody is to blame.
    pub(super) fn may_pause(&self) -> bool {
        let ends =
            |action: &Action| matches!(action, Action::Revoke { .. } | Action::Import { .. });
        self.first_ends.is_some() || self.actions.iter().any(|(_, action)| ends(action))
    }
}

impl Action {
    pub(super) fn replica(mut self) -> Option<usize> {
        self.replica_mut().copied()
    }

    pub(super) fn verifier(mut self) -> Option<usize> {
        self.verifier_mut().copied()
    }

    pub(super) const fn replica_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::ReplicaClock { replica, .. }
            | Self::CutOff { replica, .. }
            | Self::LoseAnswers { replica, .. }
            | Self::SlowRead { replica, .. }
            | Self::SlowWrite { replica, .. }
            | Self::Freeze { replica, .. }
            | Self::Restart { replica, .. }
            | Self::Rotate { replica }
            | Self::Revoke { replica, .. }
            | Self::Import { replica, .. }
            | Self::Ask { replica, .. } => Some(replica),
            Self::VerifierClock { .. } | Self::Restore { .. } => None,
        }
    }

    pub(super) const fn verifier_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::VerifierClock { verifier, .. } | Self::Ask { verifier, .. } => Some(verifier),
            _ => None,
        }
    }

    /// For how long it goes on.
    pub(super) const fn ticks_mut(&mut self) -> Option<&mut Tick> {
        match self {
            Self::CutOff { ticks, .. }
            | Self::LoseAnswers { ticks, .. }
            | Self::Freeze { ticks, .. }
            | Self::Restart { ticks, .. }
            | Self::Restore { ticks, .. }
            | Self::SlowWrite { before: ticks, .. }
            | Self::SlowRead { after: ticks, .. } => Some(ticks),
            Self::ReplicaClock { .. }
            | Self::VerifierClock { .. }
            | Self::Rotate { .. }
            | Self::Revoke { .. }
            | Self::Import { .. }
            | Self::Ask { .. } => None,
        }
    }
}
