//! The events of this crate. They hold a reason, a `kid`, a name from the configuration: never a
//! token, never the value of a claim.

use crate::refusal::Refusal;
#[cfg(feature = "tracing")]
use http::StatusCode;

/// Not this module's path, which says nothing to those who read logs.
#[cfg(feature = "tracing")]
const TARGET: &str = "tower_backend_jwt";

/// A request was refused: an error when the fault is ours, a warning when keys are not there,
/// information otherwise.
#[cfg(feature = "tracing")]
pub(crate) fn refused(refusal: &Refusal) {
    let reason = refusal.reason().label();
    match refusal.status() {
        StatusCode::SERVICE_UNAVAILABLE => {
            tracing::warn!(target: TARGET, reason, "request refused: {refusal}");
        }
        status if status.is_server_error() => {
            tracing::error!(target: TARGET, reason, "request refused: {refusal}");
        }
        _ => tracing::info!(target: TARGET, reason, "request refused: {refusal}"),
    }
}

/// A backend JWT was signed.
#[cfg(feature = "tracing")]
pub(crate) fn minted(kid: &str, api: Option<&str>, expires_at: tower_jwks::UnixTime) {
    tracing::debug!(target: TARGET, kid, api, exp = expires_at.as_secs(), "backend JWT signed");
}

/// What is done apart from a request tells of itself within the request's span.
#[cfg(all(feature = "sources", feature = "tracing"))]
pub(crate) fn in_this_span<F: Future>(future: F) -> impl Future<Output = F::Output> {
    tracing::Instrument::in_current_span(future)
}

#[cfg(all(feature = "sources", not(feature = "tracing")))]
pub(crate) const fn in_this_span<F: Future>(future: F) -> F {
    future
}

/// The same of a job that another thread does.
#[cfg(feature = "tracing")]
pub(crate) fn job_in_this_span(job: impl FnOnce()) -> impl FnOnce() {
    let span = tracing::Span::current();
    move || span.in_scope(job)
}

#[cfg(not(feature = "tracing"))]
pub(crate) const fn job_in_this_span<F: FnOnce()>(job: F) -> F {
    job
}

/// A source has failed, and the request goes on without what it would have said.
#[cfg(all(feature = "sources", feature = "tracing"))]
pub(crate) fn failed_open(refusal: &Refusal) {
    let reason = refusal.reason().label();
    tracing::warn!(target: TARGET, reason, "request goes on without what a source knows: {refusal}");
}

#[cfg(all(feature = "sources", not(feature = "tracing")))]
pub(crate) const fn failed_open(_: &Refusal) {}

#[cfg(not(feature = "tracing"))]
pub(crate) const fn refused(_: &Refusal) {}

#[cfg(not(feature = "tracing"))]
pub(crate) const fn minted(_: &str, _: Option<&str>, _: tower_jwks::UnixTime) {}
