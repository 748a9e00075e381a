//! What is known of a ring's keys, and what it means at a given time: no private key, no clock, no store.

use super::{
    policy::{MOST_KEYS, Promise, RotationPolicy},
    rule::{self, Rule},
};
use crate::UnixTime;
use serde::{Deserialize, Serialize};
use std::{fmt, time::Duration};

/// How many revoked keys are remembered, so that none is imported again.
const MOST_REVOKED: usize = 64;

/// The state of a ring, as its store has it.
///
/// Everything that happens to a key is a date in here. Who has the same state, and a clock that is right,
/// comes to the same keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// One more with each change.
    #[serde(skip)]
    pub(crate) epoch: u64,
    pub(crate) promise: Promise,
    /// In the order in which they are to sign.
    pub(crate) keys: Vec<Entry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) revoked: Vec<Revoked>,
}

/// A key of a ring, by its dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) kid: Box<str>,
    pub(crate) created_at: UnixTime,
    /// When it was read to be in the state. Nobody can have published it after that without knowing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) published_at: Option<UnixTime>,
    /// When it signs, once that is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) activates_at: Option<UnixTime>,
    /// When it was read that another key signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retired_at: Option<UnixTime>,
    /// The end of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_after: Option<UnixTime>,
}

/// A key that nobody is to trust any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoked {
    pub(crate) kid: Box<str>,
    pub(crate) at: UnixTime,
}

/// Where a key is in its life.
///
/// ```
/// assert_eq!(tower_jwks::KeyState::Retiring.to_string(), "retiring");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum KeyState {
    /// Published, so that verifiers know it before it signs.
    Pending,
    /// Signs, and is published.
    Active,
    /// Published until its last token is expired.
    Retiring,
    /// Published no more.
    Gone,
    /// Published, in a ring whose keys stay as they are.
    Published,
}

/// As it is serialized.
impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Gone => "gone",
            Self::Published => "published",
        })
    }
}

impl Entry {
    pub(crate) const fn new(kid: Box<str>, not_after: Option<UnixTime>, now: UnixTime) -> Self {
        Self {
            kid,
            created_at: now,
            published_at: None,
            activates_at: None,
            retired_at: None,
            not_after,
        }
    }

    fn has_activated(&self, now: UnixTime) -> bool {
        self.activates_at.is_some_and(|at| at <= now)
    }

    /// Whether its turn is over, whatever becomes of the key after it. Not yet by a clock that is behind the
    /// one that has dated it.
    fn has_retired(&self, now: UnixTime) -> bool {
        rule::holds(Rule::RetiredStaysRetired) && self.retired_at.is_some_and(|at| at <= now)
    }

    fn has_ended(&self, now: UnixTime) -> bool {
        rule::holds(Rule::NotPastItsEnd) && self.not_after.is_some_and(|end| end <= now)
    }

    /// When its turn began or begins. A ring's first key is dated as active before it was made.
    pub(crate) fn active_since(&self) -> Option<UnixTime> {
        Some(self.activates_at?.max(self.created_at))
    }

    /// Whether it waits for its turn, which is not decided yet.
    pub(crate) const fn is_in_reserve(&self) -> bool {
        self.activates_at.is_none()
    }

    /// When it may sign, if what it waits for has begun.
    pub(crate) fn matures_at(&self, promise: &Promise) -> Option<UnixTime> {
        Some(self.published_at?.saturating_add(promise.announcement()))
    }

    /// When the next key is to sign, so early that no token has to be cut short: one replica has to notice,
    /// and all have to hear of it. None if it has no end.
    pub(crate) fn last_turn(&self, promise: &Promise) -> Option<UnixTime> {
        let heard = promise.propagation.saturating_mul(2);
        let longest = promise.token_life.saturating_add(promise.clock_skew);
        Some(
            self.not_after?
                .saturating_sub(heard.saturating_add(longest)),
        )
    }

    /// Whether it could sign for so long that the key after it can be made and announced. It would only
    /// bring the time nearer at which nothing signs.
    pub(crate) fn lasts(&self, promise: &Promise, now: UnixTime) -> bool {
        self.lasts_from(self.matures_at(promise).unwrap_or(now).max(now), promise)
    }

    /// The same of one that signs from then on.
    pub(crate) fn lasts_from(&self, start: UnixTime, promise: &Promise) -> bool {
        let next = promise.propagation.saturating_add(promise.announcement());
        let until = self.last_turn(promise);
        until.is_none_or(|until| start.saturating_add(next) <= until)
    }

    /// When nobody needs it any more, if that is known.
    pub(crate) fn gone_at(&self, promise: &Promise) -> Option<UnixTime> {
        Some(self.retired_at?.saturating_add(promise.afterlife()))
    }
}

impl State {
    /// The state of a new ring, with its first key. Nobody knows an older set, so that it signs at once, also
    /// by a clock that is behind.
    pub(crate) fn first(promise: Promise, first: Entry, now: UnixTime) -> Self {
        let first = Entry {
            published_at: Some(now),
            activates_at: Some(now.saturating_sub(promise.clock_skew)),
            ..first
        };
        Self {
            epoch: 1,
            promise,
            keys: vec![first],
            revoked: Vec::new(),
        }
    }

    /// The place of the key whose turn it is: the last one that has become active.
    pub(crate) fn active(&self, now: UnixTime) -> Option<usize> {
        let active = self.keys.iter().enumerate();
        active
            .filter(|(_, key)| key.has_activated(now) && !key.has_retired(now))
            .max_by_key(|(place, key)| (key.activates_at, *place))
            .map(|(place, _)| place)
    }

    /// The place of the key that signs: the active one, as long as it has not come to its end.
    pub(crate) fn signer(&self, now: UnixTime) -> Option<usize> {
        self.active(now)
            .filter(|place| !self.keys[*place].has_ended(now))
    }

    pub(crate) fn key_state(&self, place: usize, now: UnixTime) -> KeyState {
        if self.active(now) == Some(place) {
            KeyState::Active
        } else if self.keys[place].has_activated(now) {
            KeyState::Retiring
        } else {
            KeyState::Pending
        }
    }

    /// The places of the keys that are published: all of them.
    pub(crate) fn published(&self) -> impl Iterator<Item = usize> {
        let all = rule::holds(Rule::PublishTheUnion);
        let decided = |key: &Entry| key.activates_at.is_some();
        (0..self.keys.len()).filter(move |place| all || decided(&self.keys[*place]))
    }

    /// How long an answer may be kept on an ordinary day.
    ///
    /// What was never promised is not said, though a replica may be set to say it.
    pub(crate) fn max_age(&self, policy: &RotationPolicy) -> Duration {
        let own = policy.promise().max_age;
        match rule::holds(Rule::AnswerWithinPromise) {
            true => own.min(self.promise.max_age),
            false => own,
        }
    }

    /// How long an answer may be kept in an emergency.
    pub(crate) fn emergency_max_age(&self, policy: &RotationPolicy) -> Duration {
        policy.emergency_max_age.min(self.max_age(policy))
    }

    /// Whether somebody may hold an answer yet that has a revoked key.
    pub(crate) fn is_emergency(&self, now: UnixTime) -> bool {
        let last = self.revoked.last();
        last.is_some_and(|last| now < last.at.saturating_add(self.promise.memory()))
    }

    pub(crate) fn place(&self, kid: &str) -> Option<usize> {
        self.keys.iter().position(|key| *key.kid == *kid)
    }

    pub(crate) fn was_revoked(&self, kid: &str) -> bool {
        self.revoked.iter().any(|revoked| *revoked.kid == *kid)
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.keys.len() >= MOST_KEYS
    }

    /// Whether no key waits for its turn without a date, and there is room for one. A key with an end may come
    /// to it while it waits, so that it is nothing to rely on.
    pub(crate) fn lacks_reserve(&self) -> bool {
        let lasting = |key: &Entry| key.is_in_reserve() && key.not_after.is_none();
        !self.keys.iter().any(lasting) && !self.is_full()
    }

    /// With one more key, whose turn comes after those that wait.
    pub(crate) fn add(&mut self, key: Entry, now: UnixTime) {
        let unannounced = !rule::holds(Rule::OnlyTheFirstUnannounced) && self.active(now).is_none();
        self.keys.push(Entry {
            published_at: (!rule::holds(Rule::AnnounceWhenRead)).then_some(now),
            activates_at: unannounced.then_some(now),
            ..key
        });
    }

    /// Without this key, as of now: nobody is to trust it. False if it is none of them.
    pub(crate) fn revoke(&mut self, kid: &str, now: UnixTime) -> bool {
        let Some(place) = self.place(kid) else {
            return false;
        };
        if rule::holds(Rule::RevokedIsGone) {
            self.keys.remove(place);
        }
        self.revoked.push(Revoked {
            kid: kid.into(),
            at: now,
        });
        let forgotten = self.revoked.len().saturating_sub(MOST_REVOKED);
        self.revoked.drain(..forgotten);
        true
    }
}
