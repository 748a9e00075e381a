//! The events of this crate. They hold a reason, a `kid`, a name from the configuration: never a
//! token, never the value of a claim.

use crate::refusal::Refusal;

/// A request was refused: an error when the fault is ours, information otherwise.
#[cfg(feature = "tracing")]
pub(crate) fn refused(refusal: &Refusal) {
    let reason = refusal.reason().label();
    if refusal.status().is_server_error() {
        tracing::error!(reason, "request refused: {refusal}");
    } else {
        tracing::info!(reason, "request refused: {refusal}");
    }
}

/// A backend JWT was signed.
#[cfg(feature = "tracing")]
pub(crate) fn minted(kid: &str, api: Option<&str>, expires_at: tower_jwks::UnixTime) {
    tracing::debug!(kid, api, exp = expires_at.as_secs(), "backend JWT signed");
}

#[cfg(not(feature = "tracing"))]
pub(crate) const fn refused(_: &Refusal) {}

#[cfg(not(feature = "tracing"))]
pub(crate) const fn minted(_: &str, _: Option<&str>, _: tower_jwks::UnixTime) {}
