//! What an operator sees of a ring.

use super::{
    human::Human,
    rotating::Rotating,
    snapshot::Snapshot,
    state::{Entry, KeyState, State},
};
use crate::{Algorithm, UnixTime, key_ring::Fixed};
use serde::Serialize;

/// The state of a ring. Serializes to one JSON object, times in seconds since 1970, durations in seconds;
/// what does not apply to keys that stay as they are is left out.
///
/// Names, times and counts: nothing of a private key is in it.
///
/// ```
/// use tower_jwks::{Algorithm, KeyRing, KeyState};
///
/// let keys = KeyRing::generate(Algorithm::EdDSA)?;
/// keys.signing_key()?.sign(b"message")?;
/// let status = keys.status();
/// assert!(status.signs);
/// assert_eq!(status.keys[0].state, KeyState::Active);
/// assert_eq!(status.keys[0].tokens_signed, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct KeyRingStatus {
    /// What the keys sign with.
    pub algorithm: Algorithm,
    /// Whether a token can be signed now.
    pub signs: bool,
    /// Why not, or what keeps the store from being read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The number of the state: the next one has a higher one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// When the store was asked for what is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<UnixTime>,
    /// How long verifiers may keep the set that is published now, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// The keys: the one that signs, those before and those after it.
    pub keys: Vec<RingKeyStatus>,
    /// The keys that were revoked, the last 64 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<RevokedKey>,
}

/// The state of one key of a ring.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RingKeyStatus {
    /// Its key id.
    pub kid: String,
    /// Where it is in its life.
    pub state: KeyState,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<UnixTime>,
    /// When it was made, or taken into the ring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<UnixTime>,
    /// How long ago that was, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// The end of its certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<UnixTime>,
    /// What becomes of it next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<NextState>,
    /// How many tokens this process has signed with it.
    pub tokens_signed: u64,
    /// Of a pending key: how many distinct user agents were given a set with it by this process, or have asked
    /// whether they still have one; 1,024 at most. When that does not grow any more, who verifies knows the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetchers: Option<u64>,
}

/// A key that nobody is to trust any more.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RevokedKey {
    /// Its key id.
    pub kid: String,
    /// When it was revoked.
    pub at: UnixTime,
}

/// What becomes of a key next.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct NextState {
    /// What it becomes.
    pub state: KeyState,
    /// When, if that is known. Not before then, if it is not decided yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<UnixTime>,
    /// Why then.
    pub why: String,
}

impl KeyRingStatus {
    pub(super) fn of_rotating(ring: &Rotating) -> Self {
        let now = ring.now();
        let current = ring.current.load();
        let state = current.state();
        let signer = current.signer(&ring.policy, now);
        let fault = match (signer.err(), ring.fault().map(|fault| fault.error)) {
            (Some(idle), Some(error)) => Some(format!("{idle}: {error}")),
            (Some(idle), None) => Some(idle.to_string()),
            (None, error) => error.map(|error| error.to_string()),
        };
        let published = current.published(now).ok();
        Self {
            algorithm: ring.algorithm,
            signs: signer.is_ok(),
            fault,
            epoch: Some(state.epoch),
            confirmed_at: Some(current.view.confirmed_at),
            max_age: published.map(|published| published.max_age().as_secs()),
            keys: (0..state.keys.len())
                .map(|place| RingKeyStatus::of(&current, place, ring, now))
                .collect(),
            revoked: state
                .revoked
                .iter()
                .map(|revoked| RevokedKey {
                    kid: revoked.kid.to_string(),
                    at: revoked.at,
                })
                .collect(),
        }
    }

    pub(crate) fn of_fixed(ring: &Fixed) -> Self {
        let plain = |kid: &str, state| RingKeyStatus {
            kid: kid.to_owned(),
            state,
            since: None,
            created_at: None,
            age: None,
            not_after: None,
            next: None,
            tokens_signed: 0,
            fetchers: None,
        };
        let signing = RingKeyStatus {
            not_after: ring.signing.not_after(),
            tokens_signed: ring.signing.signatures(),
            ..plain(ring.signing.kid(), KeyState::Active)
        };
        let others = ring.others.iter().filter_map(|key| key.kid());
        let others = others.map(|kid| plain(kid, KeyState::Published));
        Self {
            algorithm: ring.signing.algorithm(),
            signs: true,
            fault: None,
            epoch: None,
            confirmed_at: None,
            max_age: Some(ring.published.max_age().as_secs()),
            keys: std::iter::once(signing).chain(others).collect(),
            revoked: Vec::new(),
        }
    }
}

impl RingKeyStatus {
    fn of(current: &Snapshot, place: usize, ring: &Rotating, now: UnixTime) -> Self {
        let state = current.state();
        let entry = &state.keys[place];
        let key_state = state.key_state(place, now);
        let pending = key_state == KeyState::Pending;
        let fetchers = current.audience(&entry.kid).filter(|_| pending);
        Self {
            kid: entry.kid.to_string(),
            state: key_state,
            since: match key_state {
                KeyState::Pending => entry.published_at,
                KeyState::Active => entry.active_since(),
                KeyState::Retiring | KeyState::Gone | KeyState::Published => entry.retired_at,
            },
            created_at: Some(entry.created_at),
            age: Some(now.saturating_since(entry.created_at).as_secs()),
            not_after: entry.not_after,
            next: Some(NextState::of(state, entry, key_state, ring, now)),
            tokens_signed: current.keys.keys[place].signing.signatures(),
            fetchers: fetchers.map(|audience| audience.count()),
        }
    }
}

impl NextState {
    fn of(
        state: &State,
        entry: &Entry,
        key_state: KeyState,
        ring: &Rotating,
        now: UnixTime,
    ) -> Self {
        let promise = &state.promise;
        let turn = state.rotation_due(now, &ring.policy);
        let interval = ring.policy.known_interval().map(Human);
        match key_state {
            KeyState::Pending => {
                let matures_at = entry.matures_at(promise);
                let announced = Human(promise.announcement());
                let (at, why) = match (entry.activates_at, turn, matures_at) {
                    (Some(at), _, _) => (
                        Some(at),
                        format!(
                            "by then it has been published for {announced}: every verifier can have it"
                        ),
                    ),
                    (None, Some(turn), Some(matures_at)) if turn >= matures_at => match &interval {
                        Some(interval) => (
                            Some(turn),
                            format!(
                                "by then the key before it has signed for {interval}, or comes to its end"
                            ),
                        ),
                        None => (
                            Some(matures_at),
                            format!(
                                "not before it has been published for {announced}; its turn comes by the interval of those who sign"
                            ),
                        ),
                    },
                    (None, Some(_), matures_at) => (
                        matures_at,
                        format!("not before it has been published for {announced}"),
                    ),
                    (None, None, _) => (None, "after the key before it".to_owned()),
                };
                Self {
                    state: KeyState::Active,
                    at,
                    why,
                }
            }
            KeyState::Active => {
                let scheduled = state.scheduled(now).and_then(|key| key.activates_at);
                let never = UnixTime::from_secs(u64::MAX);
                let turn = turn.filter(|turn| *turn < never);
                let (at, why) = match (scheduled, interval) {
                    (Some(at), _) => (Some(at), "by then the next key signs".to_owned()),
                    // It signs for no interval: others put the next one there.
                    (None, _) if !ring.makes_keys() => (
                        None,
                        "when there is a newer key that every verifier can have".to_owned(),
                    ),
                    (None, Some(interval)) => (
                        turn,
                        format!("it signs for {interval}, and no longer than to its end"),
                    ),
                    (None, None) => (
                        turn,
                        "when it has signed for the interval of those who sign, or comes to its end"
                            .to_owned(),
                    ),
                };
                Self {
                    state: KeyState::Retiring,
                    at,
                    why,
                }
            }
            KeyState::Retiring | KeyState::Gone | KeyState::Published => Self {
                state: KeyState::Gone,
                at: entry.gone_at(promise),
                why: format!(
                    "{} after it has signed last, its tokens are expired",
                    Human(promise.afterlife())
                ),
            },
        }
    }
}
