//! Scopes (RFC 6749 section 3.3): what a request needs, against what a token has.

use crate::{VerifiedToken, refusal::Refusal};
use std::sync::Arc;
use tower_jwks::ConfigError;

/// Scopes that a token must have: all of them, or any.
#[derive(Clone, Debug)]
pub(crate) struct Requirement {
    /// Separated by spaces, as the challenge names them.
    scopes: Arc<str>,
    all: bool,
}

impl Requirement {
    pub(crate) fn new<S: AsRef<str>>(
        scopes: impl IntoIterator<Item = S>,
        all: bool,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            scopes: join(scopes)?.into(),
            all,
        })
    }

    pub(crate) fn check(&self, token: &VerifiedToken) -> Result<(), Refusal> {
        let mut needed = self.scopes.split(' ');
        let satisfied = if self.all {
            needed.all(|scope| token.has_scope(scope))
        } else {
            needed.any(|scope| token.has_scope(scope))
        };
        if satisfied {
            Ok(())
        } else {
            Err(Refusal::needs_scope(Arc::clone(&self.scopes)))
        }
    }
}

/// Scope tokens, separated by spaces. There must be one, so that a requirement cannot be empty and
/// pass everything.
pub(crate) fn join<S: AsRef<str>>(
    scopes: impl IntoIterator<Item = S>,
) -> Result<String, ConfigError> {
    let mut joined = String::new();
    for scope in scopes {
        let scope = scope.as_ref();
        if scope.is_empty() || !scope.bytes().all(is_scope_char) {
            return Err(ConfigError::new(
                "scope",
                format!("{scope:?} is not a scope token of RFC 6749"),
            ));
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(scope);
    }
    if joined.is_empty() {
        return Err(ConfigError::new("scope", "none is named"));
    }
    Ok(joined)
}

const fn is_scope_char(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}
