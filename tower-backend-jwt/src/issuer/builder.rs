//! What an issuer's tokens must be like, as it is configured.

use super::{Issuer, Rules};
use crate::{claims::TYPED, jws::short_type};
use std::{fmt, sync::Arc};
#[cfg(feature = "remote")]
use tower_jwks::RemoteJwksBuilder;
use tower_jwks::{Algorithm, ConfigError, FixedKeys, JwkSet, KeySet, KeySource, VerifyingKey};

/// Where an issuer's keys come from.
pub(super) enum Keys {
    Set(JwkSet),
    Prepared(Vec<VerifyingKey>),
    Source(Box<dyn KeySource>),
    #[cfg(feature = "remote")]
    Remote(Box<RemoteJwksBuilder>),
}

impl Keys {
    /// Where they come from when a token does.
    fn source(self, allowed: Option<&[Algorithm]>) -> Result<Box<dyn KeySource>, ConfigError> {
        let algorithms = allowed.unwrap_or(Algorithm::ALL);
        match self {
            Self::Source(source) => Ok(source),
            #[cfg(feature = "remote")]
            Self::Remote(keys) => {
                // If none are named here, those count that were named there.
                let keys = match allowed {
                    Some(algorithms) => keys.algorithms(algorithms.iter().copied()),
                    None => *keys,
                };
                Ok(Box::new(keys.build()?))
            }
            Self::Prepared(keys) => {
                if let Some(key) = keys
                    .iter()
                    .find(|key| !algorithms.contains(&key.algorithm()))
                {
                    return Err(ConfigError::new(
                        "algorithms",
                        format!("are without {}, which a key is for", key.algorithm()),
                    ));
                }
                if keys.is_empty() {
                    return Err(ConfigError::new("keys", "are none"));
                }
                let keys = KeySet::from_iter(keys);
                Ok(Box::new(FixedKeys::from(keys)))
            }
            Self::Set(set) => {
                let keys = KeySet::new(&set, algorithms);
                if keys.is_empty() {
                    let left_out = keys.left_out().iter();
                    let mut reasons: Vec<String> = left_out.map(ToString::to_string).collect();
                    if reasons.is_empty() {
                        reasons.push("it has none at all".to_owned());
                    }
                    return Err(ConfigError::new(
                        "jwks",
                        format!("has no usable key; {}", reasons.join("; ")),
                    ));
                }
                Ok(Box::new(FixedKeys::from(keys)))
            }
        }
    }
}

/// Builds an [`Issuer`].
#[must_use]
pub struct IssuerBuilder {
    name: String,
    keys: Keys,
    /// `None`: all there are.
    algorithms: Option<Vec<Algorithm>>,
    audiences: Vec<String>,
    any_audience: bool,
    types: Vec<String>,
    type_optional: bool,
    required: Vec<String>,
    claim_mapping: Vec<(String, String)>,
    client_id: Vec<String>,
    scope: String,
    scope_arrays: bool,
}

impl IssuerBuilder {
    pub(super) fn new(name: impl Into<String>, keys: Keys) -> Self {
        Self {
            name: name.into(),
            keys,
            algorithms: None,
            audiences: Vec::new(),
            any_audience: false,
            types: ["at+jwt", "jwt"].map(str::to_owned).to_vec(),
            type_optional: true,
            required: Vec::new(),
            claim_mapping: Vec::new(),
            client_id: ["client_id", "azp"].map(str::to_owned).to_vec(),
            scope: "scope".to_owned(),
            scope_arrays: false,
        }
    }

    /// Accepts tokens for this audience. Call it again for another.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens for any of these audiences.
    pub fn audiences<A: Into<String>>(mut self, audiences: impl IntoIterator<Item = A>) -> Self {
        self.audiences.extend(audiences.into_iter().map(Into::into));
        self
    }

    /// Accepts tokens for any audience, and for none.
    ///
    /// A token that another service of the issuer was given can then be used here. Only for an
    /// issuer that serves nobody else.
    pub const fn dangerous_accept_any_audience(mut self) -> Self {
        self.any_audience = true;
        self
    }

    /// Accepts only these algorithms. Default: all there are; a key is still used
    /// only for those that fit it.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// Accepts only tokens whose `typ` is one of these, compared without case, with or without
    /// `application/`. Default: `at+jwt`, `JWT`, or no `typ`.
    pub fn token_types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self.type_optional = false;
        self
    }

    /// The profile of RFC 9068: `typ` is `at+jwt`, and `sub`, `client_id`, `iat` and `jti` are
    /// required beside `iss`, `aud` and `exp` (sections 2.1 and 2.2).
    pub fn rfc9068(self) -> Self {
        ["sub", "client_id", "iat", "jti"]
            .into_iter()
            .fold(self.token_types(["at+jwt"]), Self::require_claim)
    }

    /// Refuses tokens without this claim.
    pub fn require_claim(mut self, name: impl Into<String>) -> Self {
        self.required.push(name.into());
        self
    }

    /// Gives a claim of this issuer's tokens another name, once they are verified: `remote` is
    /// gone, `local` has its value, in place of a claim that had that name. A token without `remote` has no `local`
    /// either: what it says under that name itself is something else. Of several claims with one `local` the last counts
    /// that a token has.
    pub fn map_claim(mut self, remote: impl Into<String>, local: impl Into<String>) -> Self {
        self.claim_mapping.push((remote.into(), local.into()));
        self
    }

    /// The claim, after mapping, that names the client. Default: `client_id`, or else `azp`.
    pub fn client_id_claim(mut self, name: impl Into<String>) -> Self {
        self.client_id = vec![name.into()];
        self
    }

    /// The claim, after mapping, that has the scopes. Default: `scope`.
    pub fn scope_claim(mut self, name: impl Into<String>) -> Self {
        self.scope = name.into();
        self
    }

    /// Takes an array of strings for scopes as well. Default: only one string, with spaces between
    /// the scopes, as RFC 9068 section 2.2.3 has it.
    pub const fn accept_scope_arrays(mut self) -> Self {
        self.scope_arrays = true;
        self
    }

    /// The issuer.
    ///
    /// # Errors
    ///
    /// It has no name, no audience, no algorithm or no usable key, or a claim mapping onto a claim
    /// that the checks are about. Of an issuer whose keys are fetched: its URL is not `https`, or
    /// there is no tokio runtime to fetch them in.
    pub fn build(self) -> Result<Issuer, ConfigError> {
        let wrong = |field: &'static str, message: String| ConfigError::new(field, message);
        if self.name.is_empty() {
            return Err(wrong("issuer", "has no name".to_owned()));
        }
        let audience = |message: &str| {
            Err(wrong(
                "audience",
                format!("{message} for the issuer {:?}", self.name),
            ))
        };
        match (self.any_audience, self.audiences.is_empty()) {
            (false, true) => return audience("none is named"),
            (true, false) => return audience("one is named and any is accepted"),
            _ if self.audiences.iter().any(String::is_empty) => return audience("one is empty"),
            _ => {}
        }
        if self.algorithms.as_ref().is_some_and(Vec::is_empty) {
            return Err(wrong("algorithms", "are none".to_owned()));
        }
        if self.types.is_empty() {
            return Err(wrong("token_types", "are none".to_owned()));
        }
        for (remote, local) in &self.claim_mapping {
            // A mapping must not make up what was just checked.
            if TYPED.contains(&local.as_str()) {
                return Err(wrong(
                    "map_claim",
                    format!("{remote:?} may not become {local:?}"),
                ));
            }
        }
        let source = self.keys.source(self.algorithms.as_deref())?;
        Ok(Issuer(Arc::new(Rules {
            name: self.name.into(),
            source,
            algorithms: self.algorithms.unwrap_or_else(|| Algorithm::ALL.to_vec()),
            audiences: (!self.any_audience).then_some(self.audiences),
            types: self
                .types
                .into_iter()
                .map(|typ| short_type(&typ).to_ascii_lowercase())
                .collect(),
            type_optional: self.type_optional,
            required: self.required,
            claim_mapping: self.claim_mapping,
            client_id: self.client_id,
            scope: self.scope,
            scope_arrays: self.scope_arrays,
        })))
    }
}

impl fmt::Debug for IssuerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerBuilder")
            .field("name", &self.name)
            .field("audiences", &self.audiences)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}
