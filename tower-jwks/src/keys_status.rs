//! What is known of an issuer's keys, for an operator to look at.

use crate::{Algorithm, KeySet, LeftOut, UnixTime};
use serde::{Serialize, Serializer};
use std::time::Duration;

/// The state of an issuer's keys. Serializes to one JSON object, times in seconds since 1970, durations
/// in seconds; what is not known, or does not apply to keys that are not fetched, is left out.
///
/// Names, times and counts: nothing of a token is in it.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct KeysStatus {
    pub(crate) ready: bool,
    /// The keys that are trusted, in the order of their document.
    pub keys: Vec<KeyStatus>,
    /// What the document held besides, and why it is not used.
    pub left_out: Vec<LeftOut>,
    /// How the fetching gets on, for keys that are fetched.
    #[serde(flatten)]
    pub fetching: Option<FetchStatus>,
}

impl KeysStatus {
    /// Whether tokens can be verified now.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// The state of keys that are not fetched.
    #[must_use]
    pub fn of(keys: &KeySet) -> Self {
        let mut status = Self {
            ready: true,
            left_out: keys.left_out().to_vec(),
            ..Self::default()
        };
        for key in keys.iter() {
            // A key without `alg` is one key, for several algorithms.
            match status.keys.last_mut() {
                Some(last)
                    if last.kid.as_deref() == key.kid()
                        && last.thumbprint == key.jwk().thumbprint() =>
                {
                    last.algorithms.push(key.algorithm());
                }
                _ => status.keys.push(KeyStatus {
                    kid: key.kid().map(str::to_owned),
                    thumbprint: key.jwk().thumbprint(),
                    algorithms: vec![key.algorithm()],
                }),
            }
        }
        status
    }
}

/// How the fetching of keys gets on.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct FetchStatus {
    /// Where the keys are fetched from, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// When they were last fetched or found unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<UnixTime>,
    /// How long ago that was.
    #[serde(
        rename = "age_seconds",
        serialize_with = "seconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub age: Option<Duration>,
    /// Until when they are trusted if no fetch succeeds any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usable_until: Option<UnixTime>,
    #[serde(
        rename = "from_last_good_copy",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub(crate) copied: bool,
    /// When they are fetched next, unless a token asks for it earlier. In the past: now.
    pub next_fetch: UnixTime,
    /// How many fetches have been begun.
    pub fetches: u64,
    /// How many of them have failed since one last succeeded.
    pub failures: u32,
    /// The failure that came last, kept after a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<FetchFailure>,
    /// How many fetches tokens with an unknown `kid` may still cause now.
    pub budget_left: u32,
}

impl FetchStatus {
    /// Whether the keys are from the copy on disk, and none has been fetched since the start.
    #[must_use]
    pub const fn is_from_last_good_copy(&self) -> bool {
        self.copied
    }
}

/// A key that is trusted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyStatus {
    /// Its `kid`, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// Its thumbprint (RFC 7638).
    pub thumbprint: String,
    /// The algorithms it verifies.
    pub algorithms: Vec<Algorithm>,
}

/// A fetch that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FetchFailure {
    /// When it ended.
    pub at: UnixTime,
    /// Why, in words.
    pub message: String,
}

#[expect(clippy::ref_option, reason = "serde hands over a reference")]
fn seconds<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration
        .map(|duration| duration.as_secs())
        .serialize(serializer)
}
