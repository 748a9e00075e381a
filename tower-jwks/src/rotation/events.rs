//! The events of a ring: names of keys, times and errors.

#![cfg_attr(not(feature = "tracing"), expect(unused_variables))]

use super::{
    state::{KeyState, State},
    view::Idle,
};
use crate::KeysUnavailable;

#[cfg(feature = "tracing")]
const TARGET: &str = "tower_jwks";

/// What the state says now that it did not say before.
pub(super) fn changed(before: &State, after: &State) {
    #[cfg(feature = "tracing")]
    {
        let epoch = after.epoch;
        for key in &after.keys {
            let kid = &*key.kid;
            let had = before.place(kid).map(|place| &before.keys[place]);
            if had.is_none() {
                tracing::info!(target: TARGET, kid, epoch, "a key is published, and signs later");
            }
            if let Some(at) = key.activates_at
                && had.is_none_or(|had| had.activates_at.is_none())
            {
                tracing::info!(target: TARGET, kid, epoch, at = at.as_secs(), "a key is to sign next");
            }
        }
        for key in &before.keys {
            let kid = &*key.kid;
            if after.place(kid).is_some() {
                continue;
            }
            if after.was_revoked(kid) {
                tracing::warn!(target: TARGET, kid, epoch, "a key was revoked");
            } else {
                tracing::info!(
                    target: TARGET,
                    kid,
                    epoch,
                    "a key is gone, as its tokens are"
                );
            }
        }
    }
}

/// A key has come to another state by the time.
pub(super) fn turned(kid: &str, state: KeyState) {
    #[cfg(feature = "tracing")]
    match state {
        KeyState::Active => tracing::info!(target: TARGET, kid, "a key signs from now on"),
        KeyState::Retiring => {
            tracing::info!(target: TARGET, kid, "a key signs no more, and is published for its tokens");
        }
        KeyState::Pending | KeyState::Gone | KeyState::Published => {}
    }
}

/// Nothing is signed any more.
pub(super) fn stopped(idle: Idle, error: Option<&KeysUnavailable>) {
    #[cfg(feature = "tracing")]
    tracing::error!(
        target: TARGET,
        error = error.map(tracing::field::display),
        "nothing is signed: {idle}"
    );
}

/// Something is signed again.
pub(super) fn resumed() {
    #[cfg(feature = "tracing")]
    tracing::info!(target: TARGET, "tokens are signed again");
}

/// The store was not read or written, or what is in it is refused. Loud the first, second, fourth, eighth …
/// time.
pub(super) fn failed(error: &KeysUnavailable, times: u32) {
    #[cfg(feature = "tracing")]
    if times.is_power_of_two() {
        tracing::warn!(
            target: TARGET,
            %error,
            times,
            "the store of the keys is not to be had; what was read is kept for as long as that is safe"
        );
    } else {
        tracing::debug!(target: TARGET, %error, times, "the store of the keys is not to be had");
    }
}

/// The store is read or written again, or need not be written.
pub(super) fn recovered(times: u32) {
    #[cfg(feature = "tracing")]
    tracing::info!(target: TARGET, times, "the store of the keys is to be had again");
}
