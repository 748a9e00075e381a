//! What was configured wrongly, why keys could not be had, and a signature that does not hold.

use std::{borrow::Cow, error::Error, fmt, path::Path, time::Duration};

/// What was configured wrongly: the setting, and what is wrong with it.
///
/// Found when a key, a ring or a layer is built, never at the first request. The text names no
/// secret: neither key material nor the value of a claim.
///
/// ```
/// let error = tower_jwks::ConfigError::new("ttl", "must be at least one second");
/// assert_eq!(error.to_string(), "ttl: must be at least one second");
/// assert_eq!(error.field(), "ttl");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    field: Cow<'static, str>,
    message: Cow<'static, str>,
}

impl ConfigError {
    /// An error about the setting `field`.
    pub fn new(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }

    /// The setting that is wrong.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong, without the setting.
    #[cfg(feature = "rotation")]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The same error, one level up: `field` becomes `parent.field`.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        Self {
            field: format!("{parent}.{}", self.field).into(),
            message: self.message,
        }
    }

    /// The same error, with the file it is in.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self {
            message: format!("{} ({})", self.message, path.display()).into(),
            field: self.field,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl Error for ConfigError {}

/// Why keys could not be had: an issuer's keys that were never fetched, a ring that may not sign.
///
/// To a caller this is a `503 Service Unavailable`, with `Retry-After` where a time is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeysUnavailable {
    message: Cow<'static, str>,
    retry_after: Option<Duration>,
}

impl KeysUnavailable {
    /// Keys are unavailable, for the reason in `message`.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            retry_after: None,
        }
    }

    /// Says when it is worth asking again.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// When it is worth asking again, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for KeysUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for KeysUnavailable {}

/// A signature that does not hold under the key it was checked with.
///
/// Says nothing more: details of a failed signature help only those who forge them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidSignature;

impl fmt::Display for InvalidSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature does not hold under this key")
    }
}

impl Error for InvalidSignature {}
