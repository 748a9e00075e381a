//! Text in, proof out: the checks of a token, in their order.

use crate::{
    Issuer, VerifiedToken,
    claims::{self, Registered},
    jws::Compact,
    refusal::{Refusal, RefusalReason},
};
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use tower_jwks::{Clock, ConfigError, SystemClock};

/// Verifies access tokens of one or several issuers. Knows no HTTP. Cheap to clone.
///
/// ```
/// use tower_backend_jwt::{Issuer, RefusalReason, Verifier};
/// use tower_jwks::{Algorithm, JwkSet, SigningKey};
///
/// let provider = SigningKey::generate(Algorithm::ES256)?;
/// let issuer = Issuer::from_jwks("https://idp.example.com", JwkSet::new([(&provider).into()])?)
///     .audience("orders")
///     .build()?;
/// let verifier = Verifier::from(issuer);
///
/// let refusal = verifier.verify("not.a.token").unwrap_err();
/// assert_eq!(refusal.reason(), RefusalReason::MalformedToken);
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    issuers: HashMap<Arc<str>, Issuer>,
    leeway: Duration,
    max_token_bytes: usize,
    clock: Box<dyn Clock>,
}

impl Verifier {
    /// Starts with no issuer and the defaults.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder {
            issuers: Vec::new(),
            leeway: DEFAULT_LEEWAY,
            max_token_bytes: DEFAULT_MAX_TOKEN_BYTES,
            clock: Box::new(SystemClock),
        }
    }

    /// Verifies a token, as it stands in the header field, without its scheme.
    ///
    /// # Errors
    ///
    /// The first check that it does not pass.
    pub fn verify(&self, token: &str) -> Result<VerifiedToken, Refusal> {
        // What costs least comes first: a forged token gets no further than one signature.
        if token.len() > self.0.max_token_bytes {
            return Err(Refusal::new(RefusalReason::TokenTooLong));
        }
        let jws = Compact::split(token)?;
        let header = jws.header()?;
        let claims = jws.claims()?;

        // The claim is not to be believed yet. It chooses whose keys must have signed it.
        let name = claims.get("iss").ok_or_else(|| claims::missing("iss"))?;
        let name = claims::text("iss", name)?;
        let issuer = self
            .0
            .issuers
            .get(&*name)
            .ok_or(Refusal::new(RefusalReason::UnknownIssuer))?
            .rules();
        issuer.check_type(header.typ.as_deref())?;
        issuer.check_algorithm(header.algorithm)?;

        let keys = issuer.keys()?;
        let signature = jws.signature()?;
        let mut tried = false;
        let verified = keys
            .find(header.kid.as_deref(), header.algorithm)
            .inspect(|_| tried = true)
            .any(|key| key.verify(jws.signed(), &signature).is_ok());
        if !verified {
            let reason = if tried {
                RefusalReason::InvalidSignature
            } else {
                RefusalReason::UnknownKey
            };
            return Err(Refusal::new(reason));
        }

        let registered = Registered::read(&claims)?;
        registered.check_times(self.0.clock.now(), self.0.leeway)?;
        if issuer.audience_required() {
            if claims.get("aud").is_none() {
                return Err(claims::missing("aud"));
            }
            issuer.check_audience(&registered.audiences)?;
        }
        for name in issuer.required() {
            if matches!(claims.get(name), None | Some("null")) {
                return Err(claims::missing(name));
            }
        }
        VerifiedToken::new(
            token,
            issuer,
            header.kid,
            header.algorithm,
            claims,
            registered,
        )
    }
}

impl From<Issuer> for Verifier {
    fn from(issuer: Issuer) -> Self {
        Self::builder()
            .issuer(issuer)
            .build()
            .expect("one issuer has no namesake")
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("issuers", &self.0.issuers.keys())
            .field("leeway", &self.0.leeway)
            .field("max_token_bytes", &self.0.max_token_bytes)
            .finish_non_exhaustive()
    }
}

const DEFAULT_LEEWAY: Duration = Duration::from_secs(60);
const DEFAULT_MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Builds a [`Verifier`].
#[must_use]
pub struct VerifierBuilder {
    issuers: Vec<Issuer>,
    leeway: Duration,
    max_token_bytes: usize,
    clock: Box<dyn Clock>,
}

impl VerifierBuilder {
    /// Trusts this issuer. Call it again for another: each is checked with its own keys only.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// How far the issuers' clocks may be off, both ways, whole seconds. Default: 60 seconds.
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The longest token that is read, in bytes. Default: 16 KiB.
    pub const fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// Takes the time from here. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// There is no issuer, or two of one name.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        if self.issuers.is_empty() {
            return Err(ConfigError::new("issuers", "are none"));
        }
        let mut issuers = HashMap::with_capacity(self.issuers.len());
        for issuer in self.issuers {
            let name = Arc::clone(&issuer.rules().name);
            if issuers.insert(Arc::clone(&name), issuer).is_some() {
                return Err(ConfigError::new(
                    "issuers",
                    format!("{name:?} is named twice"),
                ));
            }
        }
        Ok(Verifier(Arc::new(Inner {
            issuers,
            leeway: self.leeway,
            max_token_bytes: self.max_token_bytes,
            clock: self.clock,
        })))
    }
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("issuers", &self.issuers)
            .field("leeway", &self.leeway)
            .field("max_token_bytes", &self.max_token_bytes)
            .finish_non_exhaustive()
    }
}
