//! What is due: a function of the state, the time and the policy.
//!
//! Any replica may do what is due. All of them come to the same, and the store takes the first.

use super::{
    policy::RotationPolicy,
    rule::{self, Rule},
    state::{Entry, State},
};
use crate::UnixTime;
use std::time::Duration;

/// Why a key is to sign next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The one before has signed for as long as the policy says, or comes to its end.
    Due,
    /// Somebody asked for it, or nothing signs.
    Now,
}

impl State {
    /// Does what is due of a state that was read: dates what was read, lets go of what nobody needs, decides
    /// when the next key signs. False if nothing was.
    ///
    /// The state is to be one that the store has, and not one that is going to be written: what is dated here
    /// has happened.
    pub(crate) fn advance(&mut self, now: UnixTime, policy: &RotationPolicy) -> bool {
        let before = self.clone();
        if rule::holds(Rule::PromiseFirst) {
            self.promise = self.promise.and(&policy.promise());
        }
        self.date(now);
        self.let_go(now);
        if self.rotation_due(now, policy).is_some_and(|at| at <= now) {
            let cause = match self.signer(now) {
                Some(_) => Cause::Due,
                None => Cause::Now,
            };
            self.rotate(now, cause);
        }
        *self != before
    }

    /// Dates what was read to be so.
    pub(super) fn date(&mut self, now: UnixTime) {
        let active = self.active(now);
        // Switched off, the date is that of the decision, which may be older than its coming into force.
        let retired = |successor: Option<UnixTime>| match rule::holds(Rule::RetireWhenRead) {
            true => Some(now),
            false => successor,
        };
        let successor = active.and_then(|place| self.keys[place].activates_at);
        for (place, key) in self.keys.iter_mut().enumerate() {
            if key.published_at.is_none() {
                key.published_at = Some(now);
            }
            let signed = key.activates_at.is_some_and(|at| at <= now);
            if signed && active != Some(place) && key.retired_at.is_none() {
                key.retired_at = retired(successor);
            }
        }
    }

    /// Lets go of keys whose tokens are all expired, and of those that wait and are too near their end.
    fn let_go(&mut self, now: UnixTime) {
        let promise = self.promise;
        self.keys.retain(|key| {
            let gone = key.gone_at(&promise).is_some_and(|at| at <= now);
            let useless = key.is_in_reserve() && !key.lasts(&promise, now);
            !gone && !useless
        });
    }

    /// When the next key has to be decided on. None if that is done, or there is no next key.
    pub(crate) fn rotation_due(&self, now: UnixTime, policy: &RotationPolicy) -> Option<UnixTime> {
        if self.scheduled(now).is_some() || !self.keys.iter().any(Entry::is_in_reserve) {
            return None;
        }
        let Some(active) = self.active(now).map(|place| &self.keys[place]) else {
            return Some(now);
        };
        let turn = active.active_since()?.saturating_add(policy.interval);
        let last = active.last_turn(&self.promise);
        Some(last.map_or(turn, |last| last.min(turn)))
    }

    /// The key that is decided to sign next.
    pub(crate) fn scheduled(&self, now: UnixTime) -> Option<&Entry> {
        let next = self.keys.iter();
        next.filter(|key| key.activates_at.is_some_and(|at| at > now))
            .min_by_key(|key| key.activates_at)
    }

    /// Decides which key signs next, and when: as soon as every verifier can have it. False if one is decided
    /// on, or there is none.
    pub(crate) fn rotate(&mut self, now: UnixTime, cause: Cause) -> bool {
        if self.scheduled(now).is_some() {
            return false;
        }
        self.date(now);
        let promise = self.promise;
        let last = self.keys.iter().filter_map(|key| key.activates_at).max();
        // By its turn; but if nothing signs, whichever can do so first.
        let reserve = self.keys.iter_mut();
        let reserve = reserve.filter(|key| key.is_in_reserve() && key.lasts(&promise, now));
        let next = match cause {
            Cause::Due => reserve.into_iter().next(),
            Cause::Now => reserve.min_by_key(|key| key.published_at),
        };
        let Some(next) = next else {
            return false;
        };
        let matures_at = next.matures_at(&promise).unwrap_or(now);
        // After the key before it, though that was decided on by a clock that is ahead. And where nothing
        // signs, at once by a clock that is behind as well.
        let after_last = last.map_or(matures_at, |last| {
            last.saturating_add(Duration::from_secs(1))
        });
        let soonest = match cause {
            Cause::Due => now,
            Cause::Now => now.saturating_sub(promise.clock_skew),
        };
        next.activates_at = Some(soonest.max(matures_at).max(after_last));
        true
    }

    /// When something happens next, by itself or to be done.
    pub(crate) fn next_date(&self, now: UnixTime, policy: &RotationPolicy) -> Option<UnixTime> {
        let keys = self.keys.iter();
        let dates = keys.flat_map(|key| [key.activates_at, key.gone_at(&self.promise)]);
        dates
            .chain([self.rotation_due(now, policy)])
            .flatten()
            .filter(|at| *at > now)
            .min()
    }
}

#[cfg(test)]
mod tests;
