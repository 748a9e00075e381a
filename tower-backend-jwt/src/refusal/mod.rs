//! Why a request was refused, and what it is answered.

mod accept;
mod reason;
mod response;

pub use self::{
    reason::RefusalReason,
    response::{RefusalFormat, RefusalResponse},
};
pub(crate) use self::{
    reason::{ErrorCode, Wso2},
    response::Responder,
};

use crate::json::Malformed;
use http::StatusCode;
use std::{borrow::Cow, error::Error, fmt, sync::Arc, time::Duration};
use tower_jwks::{ConfigError, KeysUnavailable};

/// Why a request was refused.
///
/// The caller learns its status and error code, as RFC 6750 defines them, and no more. The reason
/// is for the operator: it is in the response's extensions, in its `Display`, and in the `tracing`
/// event. None of them holds a token or the value of a claim.
///
/// ```
/// use tower_backend_jwt::{Refusal, RefusalReason};
///
/// let refusal = Refusal::insufficient_scope(["orders:read"])?;
/// assert_eq!(refusal.reason(), RefusalReason::InsufficientScope);
/// assert_eq!(refusal.status(), 403);
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Refusal {
    reason: RefusalReason,
    detail: Option<Cow<'static, str>>,
    scope: Option<Arc<str>>,
    retry_after: Option<Duration>,
}

/// When it is worth asking again, where nobody knows better.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl Refusal {
    pub(crate) const fn new(reason: RefusalReason) -> Self {
        Self {
            reason,
            detail: None,
            scope: None,
            retry_after: match reason {
                RefusalReason::KeysUnavailable | RefusalReason::SourceUnavailable => {
                    Some(RETRY_AFTER)
                }
                _ => None,
            },
        }
    }

    /// The access token is not good enough: `401` with `invalid_token`.
    #[must_use]
    pub const fn invalid_token() -> Self {
        Self::new(RefusalReason::Rejected)
    }

    /// The caller is known and may not do this: `403`.
    #[must_use]
    pub const fn forbidden() -> Self {
        Self::new(RefusalReason::Forbidden)
    }

    /// What is asked about the caller does not answer: `503`, with `Retry-After`.
    #[must_use]
    pub const fn source_unavailable() -> Self {
        Self::new(RefusalReason::SourceUnavailable)
    }

    /// The token's scope is too small: `403` with `insufficient_scope` and the scopes needed.
    ///
    /// # Errors
    ///
    /// A scope that is not a scope token of RFC 6749 section 3.3.
    pub fn insufficient_scope<S: AsRef<str>>(
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        crate::scope::join(scopes).map(|scopes| Self::needs_scope(scopes.into()))
    }

    pub(crate) fn needs_scope(scopes: Arc<str>) -> Self {
        let mut refusal = Self::new(RefusalReason::InsufficientScope);
        refusal.scope = Some(scopes);
        refusal
    }

    /// Adds what the operator should know; the caller never sees it. No token, no claim's value.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says which source has failed.
    #[cfg(feature = "sources")]
    pub(crate) fn of_source(self, name: &str) -> Self {
        let detail = match &self.detail {
            Some(detail) => format!("{name}: {detail}"),
            None => name.to_owned(),
        };
        self.with_detail(detail)
    }

    /// The reason, to be counted or compared.
    #[must_use]
    pub const fn reason(&self) -> RefusalReason {
        self.reason
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.reason.row().status
    }

    /// The scopes that were needed, separated by spaces.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// When it is worth asking again.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason.row().text)?;
        match &self.detail {
            Some(detail) => write!(f, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl Error for Refusal {}

/// Claims of the user's own that do not go together: `500`.
impl From<ConfigError> for Refusal {
    fn from(error: ConfigError) -> Self {
        Self::new(RefusalReason::UnusableClaims).with_detail(error.to_string())
    }
}

impl From<Malformed> for Refusal {
    fn from(Malformed: Malformed) -> Self {
        Self::new(RefusalReason::MalformedToken)
    }
}

/// The issuer's keys are not to be had: `503`, with `Retry-After`.
impl From<KeysUnavailable> for Refusal {
    fn from(unavailable: KeysUnavailable) -> Self {
        let mut refusal = Self::new(RefusalReason::KeysUnavailable);
        if let Some(after) = unavailable.retry_after() {
            refusal.retry_after = Some(after);
        }
        refusal.with_detail(unavailable.to_string())
    }
}
