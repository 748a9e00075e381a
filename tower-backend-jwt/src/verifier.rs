//! Text in, proof out: the checks of a token, in their order.

use crate::{
    Issuer, KnownBy, Revocations, VerifiedToken,
    claims::{self, Registered},
    identity::{Sought, TokenHasher},
    issuer::Rules,
    jose_headers::Headers,
    json::{Malformed, Object},
    jws::{Compact, Header},
    refusal::{Refusal, RefusalReason},
    verified::Proof,
};
use foldhash::quality::RandomState;
use std::{collections::HashMap, fmt, sync::Arc, time::Duration};
use tower_jwks::{Clock, ConfigError, SystemClock, Waiting};

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
    issuers: HashMap<Arc<str>, Issuer, RandomState>,
    leeway: Duration,
    max_token_bytes: usize,
    clock: Box<dyn Clock>,
    hasher: TokenHasher,
    headers: Headers,
    revocations: Option<Revocations>,
}

impl Verifier {
    /// Starts with no issuer and the defaults.
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder {
            issuers: Vec::new(),
            leeway: DEFAULT_LEEWAY,
            max_token_bytes: DEFAULT_MAX_TOKEN_BYTES,
            clock: Box::new(SystemClock),
            known_by: KnownBy::default(),
            revocations: None,
        }
    }

    /// Verifies a token, as it stands in the header field, without its scheme, with the keys that
    /// are there.
    ///
    /// A token whose key is not there is refused. It may have the issuer's keys fetched, for those
    /// that come after it.
    ///
    /// # Errors
    ///
    /// The first check that it does not pass.
    pub fn verify(&self, token: &str) -> Result<VerifiedToken, Refusal> {
        let checked = self.seek(token.as_bytes()).map_err(Failure::from);
        let checked = checked.and_then(|token| self.check(&token));
        checked.map_err(|Failure { refusal, .. }| refusal)
    }

    /// As [`verify`](Self::verify), but where the token has the issuer's keys fetched, waits for
    /// them, a bounded time.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    pub async fn verify_or_wait(&self, token: &str) -> Result<VerifiedToken, Refusal> {
        match self.check(&self.seek(token.as_bytes())?) {
            Ok(token) => Ok(token),
            Err(Failure {
                waiting: Some(waiting),
                ..
            }) => {
                waiting.await;
                self.verify(token)
            }
            Err(Failure { refusal, .. }) => Err(refusal),
        }
    }

    /// Ends when the keys of all issuers are there: see [`Issuer::ready`]. It never ends if those of one never come.
    /// A readiness probe that asks for all takes a gateway out for the fault of one issuer; ask the
    /// [`issuers`](Self::issuers) for that.
    pub async fn ready(&self) {
        for issuer in self.0.issuers.values() {
            issuer.ready().await;
        }
    }

    /// The issuers, in no particular order.
    pub fn issuers(&self) -> impl Iterator<Item = &Issuer> {
        self.0.issuers.values()
    }

    /// What a token is known by here.
    pub(crate) fn seek<'a>(&self, token: &'a [u8]) -> Result<Sought<'a>, Refusal> {
        // What costs least comes first: a forged token gets no further than its key's signature, or where it names
        // no key, those of the few that it may be of.
        if token.len() > self.0.max_token_bytes {
            return Err(Refusal::new(RefusalReason::TokenTooLong));
        }
        Ok(self.0.hasher.seek(token))
    }

    pub(crate) fn check(&self, sought: &Sought<'_>) -> Result<VerifiedToken, Failure> {
        let token = std::str::from_utf8(sought.token).map_err(|_| Malformed)?;
        let jws = Compact::split(token)?;
        let header = self.0.headers.read(jws.header());
        let header = header.map_err(|refusal| match jws.has_three_parts() {
            true => refusal,
            false => Malformed.into(),
        })?;
        let room = match sought.digest() {
            Some(_) => 0,
            None => token.len() - jws.header().len(),
        };
        let mut claims = jws.claims(room)?;
        let Header {
            algorithm,
            kid,
            typ,
        } = &header.header;
        let (algorithm, kid) = (*algorithm, kid.as_deref());

        // The claim is not to be believed yet. It chooses whose keys must have signed it.
        let name = claims.get("iss").ok_or_else(|| claims::missing("iss"))?;
        let name = claims::text("iss", name)?;
        let issuer = self
            .0
            .issuers
            .get(&*name)
            .ok_or(Refusal::new(RefusalReason::UnknownIssuer))?
            .rules();
        issuer.check_type(typ.as_deref())?;
        issuer.check_algorithm(algorithm)?;

        let keys = issuer.keys()?;
        let signature = jws.signature()?;
        let mut tried = false;
        let verified = keys
            .find(kid, algorithm)
            .inspect(|_| tried = true)
            .any(|key| key.verify(jws.signed(), signature.as_ref()).is_ok());
        if !verified {
            let refusal = Refusal::new(if tried {
                RefusalReason::InvalidSignature
            } else {
                RefusalReason::UnknownKey
            });
            // A key of another name was tried, or none: the right one may be too new to be there.
            // Only for a token that it would make valid.
            let unknown = kid.is_none_or(|kid| !keys.contains(kid, algorithm));
            let waiting = if unknown && self.check_claims(issuer, &mut claims).is_ok() {
                issuer.refresh_for(kid, algorithm)
            } else {
                None
            };
            return Err(Failure { refusal, waiting });
        }
        let registered = self.check_claims(issuer, &mut claims)?;
        self.0.headers.remember(&header);
        let proof = Proof {
            header,
            rules: Arc::clone(issuer),
            keys: Arc::downgrade(&keys),
        };
        let token = VerifiedToken::new(token, sought, proof, claims, registered)?;
        self.check_revocation(&token)?;
        Ok(token)
    }

    /// Whether a token that was verified here would be verified now, as far as that can have changed since.
    /// `None`: the issuer's keys have, and it has to be verified again.
    pub(crate) fn check_again(&self, token: &VerifiedToken) -> Option<Result<(), Refusal>> {
        match token.has_current_keys() {
            Ok(false) => None,
            Ok(true) => Some(
                self.check_times(token.registered())
                    .and_then(|()| self.check_revocation(token)),
            ),
            Err(refusal) => Some(Err(refusal)),
        }
    }

    fn check_revocation(&self, token: &VerifiedToken) -> Result<(), Refusal> {
        match &self.0.revocations {
            Some(revocations) if revocations.has(token) => {
                Err(Refusal::new(RefusalReason::Revoked))
            }
            _ => Ok(()),
        }
    }

    fn check_times(&self, registered: &Registered) -> Result<(), Refusal> {
        registered.check_times(self.0.clock.now(), self.0.leeway)
    }

    fn check_claims(&self, issuer: &Rules, claims: &mut Object) -> Result<Registered, Refusal> {
        let registered = Registered::read(claims)?;
        self.check_times(&registered)?;
        if issuer.audience_required() {
            let audiences = registered.audiences.as_deref();
            let audiences = audiences.ok_or_else(|| claims::missing("aud"))?;
            issuer.check_audience(audiences.iter().map(|audience| claims.at(*audience)))?;
        }
        for name in issuer.required() {
            if matches!(claims.get(name), None | Some("null")) {
                return Err(claims::missing(name));
            }
        }
        Ok(registered)
    }
}

/// Why a token was refused, and what to wait for before it is looked at once more.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) refusal: Refusal,
    pub(crate) waiting: Option<Waiting>,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            waiting: None,
        }
    }
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Refusal::from(malformed).into()
    }
}

/// A verifier of this issuer alone, with the defaults.
///
/// Each is another one, of clones of one issuer too, and takes no token from a
/// [`TokenCache`](crate::TokenCache) that another has verified: for layers that share one, clone the verifier.
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
            .field("known_by", &self.0.hasher)
            .finish_non_exhaustive()
    }
}

const DEFAULT_LEEWAY: Duration = Duration::from_secs(60);
const DEFAULT_MAX_TOKEN_BYTES: usize = 16 * 1024;
/// Places in a longer one would not be told by 32 bits.
const LONGEST_TOKEN_BYTES: usize = 256 * 1024 * 1024;

/// Builds a [`Verifier`].
#[must_use]
pub struct VerifierBuilder {
    issuers: Vec<Issuer>,
    leeway: Duration,
    max_token_bytes: usize,
    clock: Box<dyn Clock>,
    known_by: KnownBy,
    revocations: Option<Revocations>,
}

impl VerifierBuilder {
    /// Trusts this issuer. Call it again for another: each is checked with its own keys only.
    ///
    /// Two issuers may call two users by the same `sub`, and their backend JWTs have the gateway's `iss`, both of
    /// them: [add a claim](crate::BackendJwtLayer#several-issuers) by which services behind tell the two apart.
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

    /// What its tokens are known by where they are remembered: in a [`TokenCache`](crate::TokenCache), and
    /// with the backend JWTs that were made from them. Default: their text.
    pub const fn known_by(mut self, known_by: KnownBy) -> Self {
        self.known_by = known_by;
        self
    }

    /// Refuses tokens that are revoked here, remembered ones too. Default: none are. See [`Revocations`] for an
    /// example.
    pub fn revocations(mut self, revocations: Revocations) -> Self {
        self.revocations = Some(revocations);
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// There is no issuer, or two of one name; tokens would be longer than 256 MiB; or, with
    /// [revocations](Self::revocations), the leeway is more than an hour, by which they might be forgotten.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        if self.issuers.is_empty() {
            return Err(ConfigError::new("issuers", "are none"));
        }
        if self.max_token_bytes > LONGEST_TOKEN_BYTES {
            return Err(ConfigError::new("max_token_bytes", "are more than 256 MiB"));
        }
        if self.revocations.is_some() && self.leeway > Revocations::KEPT_LONGER {
            return Err(ConfigError::new(
                "leeway",
                "is more than an hour, which is as long as revocations are kept for tokens that are expired",
            ));
        }
        let mut issuers =
            HashMap::with_capacity_and_hasher(self.issuers.len(), RandomState::default());
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
            hasher: TokenHasher::new(self.known_by),
            headers: Headers::default(),
            revocations: self.revocations,
        })))
    }
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder")
            .field("issuers", &self.issuers)
            .field("leeway", &self.leeway)
            .field("max_token_bytes", &self.max_token_bytes)
            .field("known_by", &self.known_by)
            .field("revocations", &self.revocations)
            .finish_non_exhaustive()
    }
}
