//! The events of the fetching. They hold names from the configuration and from key sets, times and
//! errors: nothing of a token.

#![cfg_attr(not(feature = "tracing"), expect(unused_variables))]

use crate::LeftOut;
use std::time::Duration;

#[cfg(feature = "tracing")]
const TARGET: &str = "tower_jwks";

/// Other keys than before are trusted.
pub(super) fn changed(issuer: &str, kids: &[&str]) {
    #[cfg(feature = "tracing")]
    tracing::info!(target: TARGET, issuer, ?kids, "the issuer's keys were fetched");
}

/// These keys of the set are not used.
pub(super) fn left_out(issuer: &str, keys: &[LeftOut]) {
    #[cfg(feature = "tracing")]
    for key in keys {
        if key.is_private() {
            tracing::error!(
                target: TARGET,
                issuer, %key,
                "the issuer has published a private key, which is not used: anybody may have it"
            );
        } else {
            tracing::warn!(target: TARGET, issuer, %key, "a key of the issuer is not used");
        }
    }
}

/// The set was fetched; there will be another fetch.
pub(super) fn fetched(issuer: &str, changed: bool, next: Duration) {
    #[cfg(feature = "tracing")]
    tracing::debug!(
        target: TARGET,
        issuer,
        changed,
        next_seconds = rounded_up(next),
        "the issuer's keys are up to date"
    );
}

/// No set was fetched; it will be tried again. Loud the first, second, fourth, eighth … time.
pub(super) fn failed(issuer: &str, error: &str, failures: u32, next: Duration, has_keys: bool) {
    #[cfg(feature = "tracing")]
    {
        let next_seconds = rounded_up(next);
        match (failures.is_power_of_two(), has_keys) {
            (true, true) => tracing::warn!(
                target: TARGET,
                issuer,
                error,
                failures,
                next_seconds,
                "the issuer's keys were not fetched; those at hand are kept"
            ),
            (true, false) => tracing::error!(
                target: TARGET,
                issuer,
                error,
                failures,
                next_seconds,
                "the issuer's keys were not fetched, and there are none: its tokens cannot be verified"
            ),
            (false, _) => tracing::debug!(
                target: TARGET,
                issuer,
                error,
                failures,
                next_seconds,
                "the issuer's keys were not fetched again"
            ),
        }
    }
}

/// A token with an unknown `kid` has the set fetched.
pub(super) fn sought(issuer: &str, budget_left: u32) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: TARGET,
        issuer,
        budget_left,
        "a token names an unknown key: the issuer's keys are fetched"
    );
}

/// The copy on disk is trusted until a fetch succeeds.
pub(super) fn copy_read(issuer: &str, kids: &[&str], age: Duration) {
    #[cfg(feature = "tracing")]
    tracing::info!(
        target: TARGET,
        issuer,
        ?kids,
        age_seconds = age.as_secs(),
        "the issuer's keys were read from their copy on disk"
    );
}

/// The copy on disk cannot be read, or cannot be written.
pub(super) fn copy_failed(issuer: &str, error: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: TARGET,
        issuer,
        error,
        "the copy of the issuer's keys on disk cannot be used"
    );
}

#[cfg(feature = "tracing")]
fn rounded_up(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
