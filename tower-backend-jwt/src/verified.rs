//! A token that was verified: the proof that the rest of the crate asks for.

use crate::{
    claims::{self, Registered},
    identity::{Identity, Sought},
    issuer::Rules,
    jose_headers::Encoded,
    json::{Object, Span},
    refusal::{Refusal, RefusalReason},
};
use serde::de::DeserializeOwned;
use std::{
    fmt,
    sync::{Arc, Weak},
};
use tower_jwks::{Algorithm, KeySet, UnixTime};

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
    proof: Proof,
    /// The rest of the token's text stands behind them, where it is known by that.
    claims: Object,
    registered: Registered,
    subject: Option<Span>,
    client_id: Option<Span>,
    scopes: Scopes,
    /// Of the verifier, by which it was hashed.
    hasher: u64,
    hash: u64,
    identity: Identity<Span>,
}

/// What a token was verified by.
pub(crate) struct Proof {
    pub(crate) header: Arc<Encoded>,
    pub(crate) rules: Arc<Rules>,
    /// Weak: keys that are withdrawn leave the memory, whatever they have verified.
    pub(crate) keys: Weak<KeySet>,
}

enum Scopes {
    /// Separated by spaces.
    Text(Span),
    Array(Box<[Span]>),
}

impl VerifiedToken {
    pub(crate) fn new(
        token: &str,
        sought: &Sought<'_>,
        proof: Proof,
        mut claims: Object,
        registered: Registered,
    ) -> Result<Self, Refusal> {
        let rules = &*proof.rules;
        claims.map(&rules.claim_mapping);
        let subject = claims.value("sub");
        // What a gateway says of a caller who has no token, and who must not gain one by it.
        if subject.is_none() && claims.value("auth_type").is_some() {
            return Err(Refusal::new(RefusalReason::WrongType)
                .with_detail("it has auth_type and no sub, as an assertion of nobody has"));
        }
        let subject = claims::optional_text(&mut claims, "sub", subject)?;
        let client_id = rules
            .client_id
            .iter()
            .find_map(|name| Some((name, claims.value(name)?)));
        let client_id = match client_id {
            Some((name, value)) => claims::optional_text(&mut claims, name, Some(value))?,
            None => None,
        };
        let scopes = match claims.value(&rules.scope) {
            Some(value) => Scopes::read(&mut claims, value, rules.scope_arrays),
            None => Scopes::none(),
        };
        let identity = match sought.digest() {
            Some(digest) => Identity::Digest(digest),
            None => Identity::Text(claims.append(&token[proof.header.segment.len()..])),
        };
        Ok(Self(Arc::new(Inner {
            proof,
            claims,
            registered,
            subject,
            client_id,
            scopes,
            hasher: sought.hasher,
            hash: sought.hash,
            identity,
        })))
    }

    /// Who issued it (`iss`).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.proof.rules.name
    }

    /// Whom it is about (`sub`): a user, or with client credentials the client itself.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.0.subject.map(|span| self.0.claims.at(span))
    }

    /// The client it was issued to: `client_id` or `azp`, or the issuer's
    /// [own claim](crate::IssuerBuilder::client_id_claim) for it.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.map(|span| self.0.claims.at(span))
    }

    /// Whom it is for (`aud`).
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        let audiences = self.0.registered.audiences.iter().flatten();
        audiences.map(|span| self.0.claims.at(*span))
    }

    /// What its bearer may do (`scope`).
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.scopes.iter(&self.0.claims)
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

    /// When it was issued (`iat`), a fraction of a second cut.
    #[must_use]
    pub fn issued_at(&self) -> Option<UnixTime> {
        self.0.registered.issued_at
    }

    /// From when it is valid (`nbf`), a fraction of a second counted as a whole one.
    #[must_use]
    pub fn not_before(&self) -> Option<UnixTime> {
        self.0.registered.not_before
    }

    /// Its own identifier (`jti`).
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        self.0.registered.jti.map(|span| self.0.claims.at(span))
    }

    /// The `kid` its header names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.0.proof.header.header.kid.as_deref()
    }

    /// The algorithm of the key that verified it.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.proof.header.header.algorithm
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
        Arc::clone(&self.0.proof.rules.name)
    }

    pub(crate) fn rules(&self) -> &Arc<Rules> {
        &self.0.proof.rules
    }

    pub(crate) fn registered(&self) -> &Registered {
        &self.0.registered
    }

    pub(crate) fn hash(&self) -> u64 {
        self.0.hash
    }

    /// Its header as it was encoded, and the rest of its text, which is there.
    fn text(&self, rest: Span) -> [&str; 2] {
        [&self.0.proof.header.segment, self.0.claims.at(rest)]
    }

    /// Whether it was made from this token, by the verifier that looks for it.
    pub(crate) fn is(&self, sought: &Sought<'_>) -> bool {
        (self.0.hasher, self.0.hash) == (sought.hasher, sought.hash)
            && sought.is(&self.0.identity, |text| self.text(*text))
    }

    /// Whether the other is the same token, read by the same rules: two verifiers may read one in two ways.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let by = |token: &Self| (token.0.hash, Arc::as_ptr(token.rules()));
        Arc::ptr_eq(&self.0, &other.0)
            || by(self) == by(other)
                && match (&self.0.identity, &other.0.identity) {
                    (Identity::Text(one), Identity::Text(another)) => {
                        self.text(*one) == other.text(*another)
                    }
                    (Identity::Digest(one), Identity::Digest(another)) => one == another,
                    _ => false,
                }
    }

    /// Whether the issuer's keys are those one of which has verified it, with none gone or new since.
    pub(crate) fn has_current_keys(&self) -> Result<bool, Refusal> {
        self.rules().are_current(&self.0.proof.keys)
    }

    /// The bytes it takes in memory, nearly.
    pub(crate) fn size(&self) -> usize {
        let Inner {
            proof,
            claims,
            registered,
            scopes,
            ..
        } = &*self.0;
        let spans = registered.audiences.as_ref().map_or(0, |spans| spans.len())
            + match scopes {
                Scopes::Text(_) => 0,
                Scopes::Array(spans) => spans.len(),
            };
        size_of::<Inner>()
            + 2 * size_of::<usize>()
            + claims.bytes()
            + spans * size_of::<Span>()
            // Its own, if it is an odd one: others are shared.
            + proof.header.segment.len()
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("issuer", &self.issuer())
            .field("kid", &self.kid())
            .field("algorithm", &self.algorithm())
            .field("expires_at", &self.0.registered.expires_at)
            .finish_non_exhaustive()
    }
}

impl Scopes {
    const fn none() -> Self {
        Self::Text(Span::EMPTY)
    }

    /// Of a claim in the form that was configured; another form counts for none.
    fn read(claims: &mut Object, value: Span, arrays: bool) -> Self {
        if let Some(text) = claims.text(value) {
            return Self::Text(text);
        }
        let scopes = claims.texts(value).filter(|_| arrays).unwrap_or_default();
        // One text with a space is no scope, and must not become two.
        let is_scope = |scope: &Span| !claims.at(*scope).contains(' ');
        Self::Array(scopes.into_iter().filter(is_scope).collect())
    }

    fn iter<'a>(&'a self, claims: &'a Object) -> impl Iterator<Item = &'a str> {
        let (text, array) = match self {
            Self::Text(text) => (claims.at(*text), &[][..]),
            Self::Array(scopes) => ("", &scopes[..]),
        };
        let array = array.iter().map(|scope| claims.at(*scope));
        text.split(' ')
            .chain(array)
            .filter(|scope| !scope.is_empty())
    }
}

/// The marker, in a request's extensions, of a caller without a token whom an
/// [optional](crate::AccessTokenLayer::optional) layer let through on purpose. Who then finds out otherwise
/// who is calling adds an [`AuthType`](crate::AuthType).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Anonymous;
