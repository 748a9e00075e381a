//! What a backend JWT is to be like.

use super::{
    claim_names::{Dialect, folded},
    claims::Claims,
    compatibility::Compatibility,
    copied_claims::CopiedClaims,
    custom_claim::CustomClaim,
    taken_fields::is_taken,
};
use crate::jws::short_type;
use http::HeaderName;
use std::{collections::BTreeSet, time::Duration};
use tower_jwks::{Algorithm, ConfigError};

/// What a backend JWT is to be like: the field it travels in, how long it lives, what it claims.
///
/// The default is made for any backend; [`wso2`](Self::wso2) for one that knows WSO2's gateways.
/// A policy is checked when a [`BackendJwtLayer`](crate::BackendJwtLayer) takes it.
///
/// ```
/// use std::time::Duration;
/// use tower_backend_jwt::{CopiedClaims, Policy};
///
/// let policy = Policy::default()
///     .issuer("https://gateway.example.com")
///     .audience("orders-service")
///     .ttl(Duration::from_secs(300))
///     .copied_claims(CopiedClaims::listed(["scope", "org_id"]))
///     .custom_claim("region", "eu");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Policy {
    header: HeaderName,
    /// `None`: as long as usual, or as the keys allow.
    pub(super) ttl: Option<Duration>,
    /// `None`: half of that.
    pub(super) remaining_life: Option<Duration>,
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    pub(super) algorithm: Option<Algorithm>,
    pub(super) typ: String,
    pub(super) dialect: Dialect,
    pub(super) copied: CopiedClaims,
    pub(super) custom: Vec<(String, CustomClaim)>,
    pub(super) enduser: bool,
    pub(super) minimal_assertion: bool,
    pub(super) compatibility: BTreeSet<Compatibility>,
    /// Whether a single audience is an array too.
    pub(super) audience_array: bool,
    pub(super) not_before: bool,
    pub(super) max_bytes: usize,
}

/// `X-JWT-Assertion`, 3600 s, the dialect `http://wso2.org/claims`; `azp`, `client_id`, `org_id`,
/// `org_name`, `scope` and `email` are copied.
impl Default for Policy {
    fn default() -> Self {
        Self {
            header: HeaderName::from_static("x-jwt-assertion"),
            ttl: None,
            remaining_life: None,
            issuer: "wso2.org/products/am".to_owned(),
            audiences: Vec::new(),
            algorithm: None,
            typ: "JWT".to_owned(),
            dialect: Dialect::new("http://wso2.org/claims"),
            copied: CopiedClaims::listed([
                "azp",
                "client_id",
                "org_id",
                "org_name",
                "scope",
                "email",
            ]),
            custom: Vec::new(),
            enduser: false,
            minimal_assertion: false,
            compatibility: BTreeSet::new(),
            audience_array: false,
            not_before: false,
            max_bytes: 8 * 1024,
        }
    }
}

impl Policy {
    /// As WSO2's gateways have it: all claims of the access token are copied.
    pub fn wso2() -> Self {
        Self::default().copied_claims(CopiedClaims::all())
    }

    /// The field that carries the backend JWT. Default: `X-JWT-Assertion`.
    pub fn header(mut self, header: HeaderName) -> Self {
        self.header = header;
        self
    }

    /// The name of that field.
    #[must_use]
    pub const fn header_name(&self) -> &HeaderName {
        &self.header
    }

    /// How long a backend JWT lives, whole seconds. Default: 3600 seconds, or the ring's
    /// [token life](tower_jwks::KeyRing::token_life) if that is shorter.
    ///
    /// It never outlives the access token it was made from, nor its signing key.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// For how long a backend JWT that is handed out is valid at least, whole seconds. Default: half of its
    /// TTL. When four fifths of the rest are over, a new one is made in the background.
    ///
    /// With all of the TTL none is used again; more is an error when a layer takes the policy. For one JWT a
    /// request there is [`no_cache`](crate::BackendJwtLayer::no_cache).
    ///
    /// One that ends with its access token, or with its key, is handed out to the end: a new one could live
    /// no longer.
    pub const fn remaining_life(mut self, remaining_life: Duration) -> Self {
        self.remaining_life = Some(remaining_life);
        self
    }

    /// Its `iss`. Default: `wso2.org/products/am`, as WSO2's gateways have it.
    ///
    /// Give each gateway a name of its own: a caller's token of this issuer is refused, because a
    /// backend JWT is no access token.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Adds an audience: which service may take the JWT. Default: none, and any service may; name
    /// one, so that no service can pass a JWT it got on to another.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The audiences, in place of those named before; an array also if it is one, as Choreo writes
    /// them. Choreo then copies no claim of the access token any more; here nothing else changes.
    pub fn audiences<A: Into<String>>(mut self, audiences: impl IntoIterator<Item = A>) -> Self {
        self.audiences = audiences.into_iter().map(Into::into).collect();
        self.audience_array = true;
        self
    }

    /// The algorithm it must be signed with. Default: that of the key ring. Another than that is
    /// an error when the layer takes the policy.
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// Its `typ`. Default: `JWT`, which every verifier takes. One of your own lets verifiers that
    /// ask for it tell a backend JWT from other tokens (RFC 8725 section 3.11).
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.typ = typ.into();
        self
    }

    /// The prefix of the gateway's claims. Default: `http://wso2.org/claims`. Between it and a
    /// name stands a slash, unless it is empty.
    pub fn dialect(mut self, prefix: &str) -> Self {
        self.dialect = Dialect::new(prefix);
        self
    }

    /// Says nothing of the API, the application and the kind of user: no claim of a dialect is made.
    pub fn no_dialect(mut self) -> Self {
        self.dialect = Dialect::none();
        self
    }

    /// Which claims of the access token are copied. Default: those that [`Policy`] names.
    pub fn copied_claims(mut self, copied: CopiedClaims) -> Self {
        self.copied = copied;
        self
    }

    /// Adds a claim with a fixed value.
    pub fn custom_claim(mut self, name: impl Into<String>, value: impl Into<CustomClaim>) -> Self {
        self.custom.push((name.into(), value.into()));
        self
    }

    /// Adds the dialect's `enduser`, with the subject as its value. Default: not.
    pub const fn enduser(mut self) -> Self {
        self.enduser = true;
        self
    }

    /// Tells the service behind of callers without an access token as well. Default: their requests
    /// carry no backend JWT.
    ///
    /// Such a JWT has the claim `auth_type`, which says how the caller was authenticated
    /// ([`AuthType`](crate::AuthType)), and nothing that looks like a user's: no `sub`, no claim of the
    /// dialect about a user. It says what the API is, what the application is where one is known, and
    /// the custom claims. That of a user has no `auth_type` under such a policy.
    ///
    /// A service that takes any JWT with a good signature for a user's must not be told of the others.
    pub const fn minimal_assertion(mut self) -> Self {
        self.minimal_assertion = true;
        self
    }

    /// Whether callers without an access token are told of.
    #[must_use]
    pub const fn has_minimal_assertion(&self) -> bool {
        self.minimal_assertion
    }

    /// The longest backend JWT, in bytes: a longer one is not sent, and the request answered
    /// `500`. Default: 8 KiB, because many servers take no longer field.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Whether a claim of this name is the gateway's to make.
    pub(super) fn owns(&self, name: &str) -> bool {
        self.dialect.owns(name) || (self.minimal_assertion && folded(name) == "auth_type")
    }

    /// What can be wrong with a policy alone; the custom claims, rendered, if nothing is.
    pub(super) fn check(&self) -> Result<Claims, ConfigError> {
        if self.ttl.is_some_and(|ttl| ttl < Duration::from_secs(1)) {
            return Err(ConfigError::new("ttl", "is less than a second"));
        }
        if self.issuer.is_empty() {
            return Err(ConfigError::new("issuer", "is empty"));
        }
        if self.audiences.iter().any(String::is_empty) {
            return Err(ConfigError::new("audience", "is empty"));
        }
        if self.typ.is_empty() || short_type(&self.typ).eq_ignore_ascii_case("at+jwt") {
            return Err(ConfigError::new(
                "typ",
                "is empty, or that of an access token",
            ));
        }
        if self.max_bytes == 0 {
            return Err(ConfigError::new("max_bytes", "is none"));
        }
        if is_taken(self.header.as_str()) {
            return Err(ConfigError::new(
                "header",
                format!("{} has another meaning in HTTP", self.header),
            ));
        }
        self.copied.check()?;
        let mut custom = Claims::new();
        for (name, value) in &self.custom {
            if name.is_empty() {
                return Err(ConfigError::new("custom claim", "has no name"));
            }
            if self.owns(name) {
                return Err(ConfigError::new(
                    "custom claim",
                    format!("{name:?} is a claim that the gateway makes"),
                ));
            }
            custom
                .push(name, value.json())
                .map_err(|error| error.within("custom claim"))?;
        }
        Ok(custom)
    }
}
