//! What one replica knows of the ring, and for how long that is good enough to act on.

use super::{
    policy::{Promise, RotationPolicy},
    rule::{self, Rule},
    state::State,
};
use crate::UnixTime;
use std::fmt;

/// The state that a replica last read, and when it asked for it.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) state: State,
    pub(crate) confirmed_at: UnixTime,
}

/// Why a replica may do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idle {
    /// It has not read the store for as long as a change may take to reach it.
    Unconfirmed,
    /// It would sign for longer than the ring promises.
    Unpromised,
    /// No key may sign now.
    NoKey,
}

/// A state is older than one that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Older {
    pub(crate) seen: u64,
    pub(crate) found: u64,
}

/// Whether a state that was confirmed at some time may be acted on.
///
/// A clock that went back does not make a lease longer.
pub(crate) fn within_lease(promise: &Promise, confirmed_at: UnixTime, now: UnixTime) -> bool {
    now < confirmed_at.saturating_add(promise.propagation)
        && confirmed_at <= now.saturating_add(promise.clock_skew)
}

impl View {
    /// Whether a state that was read may take the place of this one.
    pub(crate) fn may_become(&self, state: &State) -> Result<(), Older> {
        if state.epoch < self.state.epoch && rule::holds(Rule::EpochNeverDown) {
            return Err(Older {
                seen: self.state.epoch,
                found: state.epoch,
            });
        }
        Ok(())
    }

    /// The place of the key that signs.
    pub(crate) fn signer(&self, policy: &RotationPolicy, now: UnixTime) -> Result<usize, Idle> {
        let State { promise, .. } = &self.state;
        if rule::holds(Rule::SignWithinLease) && !within_lease(promise, self.confirmed_at, now) {
            return Err(Idle::Unconfirmed);
        }
        if rule::holds(Rule::PromiseFirst) && promise.and(&policy.promise()) != *promise {
            return Err(Idle::Unpromised);
        }
        self.state.signer(now).ok_or(Idle::NoKey)
    }

    /// The state whose keys may be published.
    pub(crate) fn published(&self, now: UnixTime) -> Result<&State, Idle> {
        let in_time = within_lease(&self.state.promise, self.confirmed_at, now);
        if rule::holds(Rule::PublishWithinLease) && !in_time {
            return Err(Idle::Unconfirmed);
        }
        Ok(&self.state)
    }
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unconfirmed => {
                "the store of the keys could not be read for longer than `propagation`"
            }
            Self::Unpromised => "the ring does not promise yet what this process's policy asks for",
            Self::NoKey => "no key of the ring may sign now",
        })
    }
}

impl fmt::Display for Older {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seen, found } = self;
        write!(
            f,
            "the ring in the store is of epoch {found}, older than {seen}, which was there"
        )
    }
}
