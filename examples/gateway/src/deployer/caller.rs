//! Who changes the APIs, for the log.

use http::Request;
use tower_backend_jwt::VerifiedToken;

use super::answer::Refusal;
use crate::table::Served;

/// The holder of a token.
#[derive(Debug)]
pub(super) struct Caller(Option<VerifiedToken>);

impl Caller {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        Self(request.extensions().get().cloned())
    }

    pub(super) fn has_deployed(&self, served: &Served) {
        tracing::info!(
            id = served.id,
            name = served.api.name,
            version = served.api.version,
            subject = self.subject(),
            client = self.client(),
            "an API is deployed"
        );
    }

    /// There is no API behind a file that was broken.
    pub(super) fn has_undeployed(&self, id: &str, served: Option<&Served>) {
        tracing::info!(
            id,
            name = served.map(|served| &*served.api.name),
            version = served.map(|served| &*served.api.version),
            subject = self.subject(),
            client = self.client(),
            "an API is undeployed"
        );
    }

    pub(super) fn is_refused(&self, call: &'static str, refusal: &Refusal) {
        let (subject, client) = (self.subject(), self.client());
        // As a value it is quoted: parts of a conf are in it.
        let reason = refusal.to_string();
        if refusal.is_internal() {
            tracing::error!(call, subject, client, reason, "a change of the APIs fails");
        } else {
            tracing::warn!(
                call,
                subject,
                client,
                reason,
                "a change of the APIs is refused"
            );
        }
    }

    fn subject(&self) -> Option<&str> {
        self.0.as_ref()?.subject()
    }

    fn client(&self) -> Option<&str> {
        self.0.as_ref()?.client_id()
    }
}
