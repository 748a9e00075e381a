//! A token that was verified: the proof that the rest of the crate asks for.

use crate::{
    claims::{self, Registered},
    issuer::Rules,
    json::{self, Object},
    refusal::{Refusal, RefusalReason},
};
use serde::de::DeserializeOwned;
use std::{fmt, sync::Arc};
use tower_jwks::{Algorithm, UnixTime};

/// An access token that was verified.
///
/// Only a [`Verifier`](crate::Verifier) makes one, so that whoever holds it holds the proof. An
/// [`AccessTokenLayer`](crate::AccessTokenLayer) leaves it in the request's extensions. Cheap to
/// clone. Its `Debug` shows neither the token nor the value of a claim.
///
/// Claims are seen as the issuer's [mapping](crate::IssuerBuilder::map_claim) names them.
#[derive(Clone)]
pub struct VerifiedToken(Arc<Inner>);

struct Inner {
    /// The whole token, and what it was read by: what a cache must be keyed by.
    token: Arc<str>,
    rules: Arc<Rules>,
    kid: Option<Box<str>>,
    algorithm: Algorithm,
    claims: Object,
    registered: Registered,
    subject: Option<Box<str>>,
    client_id: Option<Box<str>>,
    /// Separated by spaces.
    scopes: Box<str>,
}

impl VerifiedToken {
    pub(crate) fn new(
        token: &str,
        rules: &Arc<Rules>,
        kid: Option<Box<str>>,
        algorithm: Algorithm,
        mut claims: Object,
        registered: Registered,
    ) -> Result<Self, Refusal> {
        for (remote, local) in &rules.claim_mapping {
            claims.rename(remote, local);
        }
        // What a gateway says of a caller who has no token, and who must not gain one by it.
        if claims.get("auth_type").is_some() && claims.get("sub").is_none() {
            return Err(Refusal::new(RefusalReason::WrongType)
                .with_detail("it has auth_type and no sub, as an assertion of nobody has"));
        }
        let text = |name: &str| {
            let value = claims.get(name);
            value
                .map(|value| claims::text(name, value).map(Box::from))
                .transpose()
        };
        let client_id = match rules
            .client_id
            .iter()
            .find(|name| claims.get(name).is_some())
        {
            Some(name) => text(name)?,
            None => None,
        };
        Ok(Self(Arc::new(Inner {
            subject: text("sub")?,
            client_id,
            scopes: claims
                .get(&rules.scope)
                .map_or_else(Box::default, |value| scopes(value, rules.scope_arrays)),
            token: token.into(),
            rules: Arc::clone(rules),
            kid,
            algorithm,
            claims,
            registered,
        })))
    }

    /// Who issued it (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.rules.name
    }

    /// Whom it is about (`sub`): a user, or with client credentials the client itself.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    /// The client it was issued to: `client_id` or `azp`, or the issuer's
    /// [own claim](crate::IssuerBuilder::client_id_claim) for it.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// Whom it is for (`aud`).
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        self.0.registered.audiences.iter().map(AsRef::as_ref)
    }

    /// What its bearer may do (`scope`).
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.scopes.split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether it has this scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|had| had == scope)
    }

    /// When it expires (`exp`), a fraction of a second cut.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.0.registered.expires_at
    }

    /// When it was issued (`iat`).
    #[must_use]
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.0.registered.issued_at
    }

    /// From when it is valid (`nbf`).
    #[must_use]
    pub fn not_before(&self) -> Option<UnixTime> {
        self.0.registered.not_before
    }

    /// Its own identifier (`jti`).
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        self.0.registered.jti.as_deref()
    }

    /// The `kid` its header names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.0.kid.as_deref()
    }

    /// The algorithm of the key that verified it.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// A claim as a type of your own; `None` if the token has no such claim.
    ///
    /// # Errors
    ///
    /// The claim does not fit the type.
    pub fn claim<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let json = self.claim_json(name);
        json.map(|json| claims::read(json).ok_or_else(|| claims::malformed(name)))
            .transpose()
    }

    /// A claim as JSON, just as the token has it.
    #[must_use]
    pub fn claim_json(&self, name: &str) -> Option<&str> {
        self.0.claims.get(name)
    }

    /// All claims as a type of your own.
    ///
    /// # Errors
    ///
    /// They do not fit the type. The text does not say how: it would show their values.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        claims::read(&self.0.claims.as_json()).ok_or_else(|| {
            Refusal::new(RefusalReason::MalformedClaim)
                .with_detail("the claims do not fit the type asked for")
        })
    }

    /// All claims as a JSON object.
    #[must_use]
    pub fn claims_json(&self) -> String {
        self.0.claims.as_json().into_owned()
    }

    /// Names and values, as JSON, of all claims.
    pub(crate) fn claims_iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.claims.iter()
    }

    /// The issuer's name, to keep.
    #[cfg(feature = "sources")]
    pub(crate) fn issuer_shared(&self) -> Arc<str> {
        Arc::clone(&self.0.rules.name)
    }

    pub(crate) fn token(&self) -> &Arc<str> {
        &self.0.token
    }

    pub(crate) fn rules(&self) -> &Arc<Rules> {
        &self.0.rules
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("issuer", &self.issuer())
            .field("kid", &self.0.kid)
            .field("algorithm", &self.0.algorithm)
            .field("expires_at", &self.0.registered.expires_at)
            .finish_non_exhaustive()
    }
}

/// The scopes in a claim of the form that was configured; another form counts for none.
fn scopes(value: &str, arrays: bool) -> Box<str> {
    if let Some(text) = json::text(value) {
        return text.into();
    }
    let mut scopes: Vec<Box<str>> = match arrays {
        true => claims::read(value).unwrap_or_default(),
        false => Vec::new(),
    };
    // One text with a space is no scope, and must not become two.
    scopes.retain(|scope| !scope.contains(' '));
    scopes.join(" ").into()
}

/// The marker, in a request's extensions, of a caller without a token whom an
/// [optional](crate::AccessTokenLayer::optional) layer let through on purpose. Who then finds out otherwise
/// who is calling adds an [`AuthType`](crate::AuthType).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Anonymous;
