//! The user's own claims.

use super::claim_names::folded;
use crate::{VerifiedToken, json::push_string, refusal::Refusal};
use http::request::Parts;
use serde::Serialize;
use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};
use tower_jwks::ConfigError;

/// Gives the backend JWT claims of the user's own.
///
/// Implemented by closures `Fn(&VerifiedToken, &Parts) -> Result<Claims, Refusal>`. It is asked for
/// each request, so that a JWT that is reused says what it would if it were new; it should look
/// things up in memory, and not compute or fetch them.
pub trait BackendClaims: Send + Sync + 'static {
    /// The claims for a request with this token and head.
    ///
    /// # Errors
    ///
    /// The request is refused: it never goes on without the claims it should have.
    fn backend_claims(&self, token: &VerifiedToken, request: &Parts) -> Result<Claims, Refusal>;
}

impl<F> BackendClaims for F
where
    F: Fn(&VerifiedToken, &Parts) -> Result<Claims, Refusal> + Send + Sync + 'static,
{
    fn backend_claims(&self, token: &VerifiedToken, request: &Parts) -> Result<Claims, Refusal> {
        self(token, request)
    }
}

/// Claims by name, each with a value that serializes to JSON. Cheap to clone.
///
/// In a request's extensions they are taken into its backend JWT: that is how a
/// [`UserClaimsLayer`](crate::UserClaimsLayer) hands on what it has found.
///
/// ```
/// use tower_backend_jwt::Claims;
///
/// let claims = Claims::new()
///     .with("department", "sales")?
///     .with("clearance", &[1, 2, 3])?;
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
///
/// Equal are the same claims in the same order, written alike.
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Claims(Option<Arc<Members>>);

#[derive(Clone, Default)]
struct Members {
    names: Vec<Box<str>>,
    /// `"name":value`, separated by commas.
    json: String,
}

/// Their names are in it.
impl PartialEq for Members {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl Eq for Members {}

impl Hash for Claims {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // There are none, as a rule, which is no more to hash.
        if let Some(members) = &self.0 {
            members.json.hash(state);
        }
    }
}

impl Claims {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a claim.
    ///
    /// # Errors
    ///
    /// There is one of that name, or the value does not serialize to JSON.
    pub fn with(mut self, name: &str, value: impl Serialize) -> Result<Self, ConfigError> {
        let value = serde_json::to_string(&value)
            .map_err(|_| ConfigError::new(name.to_owned(), "does not serialize to JSON"))?;
        self.push(name, &value)?;
        Ok(self)
    }

    pub(super) fn push(&mut self, name: &str, json: &str) -> Result<(), ConfigError> {
        if self.has(name) {
            return Err(ConfigError::new(name.to_owned(), "is claimed twice"));
        }
        let members = Arc::make_mut(self.0.get_or_insert_default());
        push_member(&mut members.json, name, json);
        members.names.push(name.into());
        Ok(())
    }

    /// These and the others.
    ///
    /// # Errors
    ///
    /// One of the others has the name of one of these.
    pub fn merge(mut self, others: &Self) -> Result<Self, ConfigError> {
        if let Some(name) = others.names().find(|name| self.has(name)) {
            return Err(ConfigError::new(name.to_owned(), "is claimed twice"));
        }
        match (&mut self.0, &others.0) {
            (_, None) => {}
            (none @ None, Some(_)) => none.clone_from(&others.0),
            (Some(members), Some(others)) => {
                let members = Arc::make_mut(members);
                push_members(&mut members.json, &others.json);
                members.names.extend(others.names.iter().cloned());
            }
        }
        Ok(self)
    }

    /// The bytes they take in memory, nearly.
    #[cfg(feature = "sources")]
    pub(crate) fn size(&self) -> usize {
        size_of::<Members>()
            + self.json().len()
            + self
                .names()
                .map(|name| size_of::<Box<str>>() + name.len())
                .sum::<usize>()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|had| had == name)
    }

    /// Whether one has this name, which is folded.
    pub(super) fn has_folded(&self, name: &str) -> bool {
        self.names().any(|had| folded(had) == name)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let members = self.0.iter();
        members.flat_map(|members| members.names.iter().map(AsRef::as_ref))
    }

    pub(super) fn json(&self) -> &str {
        self.0.as_ref().map_or("", |members| &members.json)
    }
}

/// Names only: values are the user's.
impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.names().collect();
        f.debug_tuple("Claims").field(&names).finish()
    }
}

/// Appends members, after a comma if something stands before them.
pub(super) fn push_members(json: &mut String, members: &str) {
    if !json.is_empty() && !json.ends_with('{') && !members.is_empty() {
        json.push(',');
    }
    json.push_str(members);
}

/// Appends `"name":value`, after a comma if something stands before it.
pub(super) fn push_member(json: &mut String, name: &str, value: &str) {
    push_name(json, name);
    json.push_str(value);
}

/// Appends `"name":`, after a comma if something stands before it.
pub(super) fn push_name(json: &mut String, name: &str) {
    if !json.is_empty() && !json.ends_with('{') {
        json.push(',');
    }
    push_string(json, name);
    json.push(':');
}
