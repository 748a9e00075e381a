//! Whom to trust: an issuer, its keys, and what its tokens must be like.

mod builder;

pub use self::builder::IssuerBuilder;

use self::builder::Keys;
use crate::{
    jws::short_type,
    refusal::{Refusal, RefusalReason},
};
use std::{
    fmt,
    path::Path,
    sync::{Arc, Weak},
};
#[cfg(feature = "client")]
use tower_jwks::RemoteJwks;
#[cfg(feature = "remote")]
use tower_jwks::RemoteJwksBuilder;
use tower_jwks::{
    Algorithm, ConfigError, JwkSet, KeySet, KeySource, KeysStatus, VerifyingKey, Waiting,
};

/// An issuer of access tokens that is trusted: its name, its keys, and what its tokens must be
/// like. Cheap to clone; keep a clone to ask for its [`status`](Self::status).
///
/// The defaults: any algorithm of [`Algorithm`] that the issuer's keys are for; `typ` of `at+jwt`,
/// `JWT` or none; `exp`, `iss` and `aud` required.
///
/// ```
/// use tower_backend_jwt::Issuer;
/// use tower_jwks::{Algorithm, JwkSet, SigningKey};
///
/// let provider = SigningKey::generate(Algorithm::ES256)?;
/// let keys = JwkSet::new([provider.jwk().clone()])?;
/// let issuer = Issuer::from_jwks("https://idp.example.com", keys)
///     .audience("orders")
///     .build()?;
/// assert_eq!(issuer.name(), "https://idp.example.com");
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Issuer(Arc<Rules>);

/// What tokens of one issuer must be like.
pub(crate) struct Rules {
    pub(crate) name: Arc<str>,
    source: Box<dyn KeySource>,
    algorithms: Vec<Algorithm>,
    /// `None` accepts any.
    audiences: Option<Vec<String>>,
    /// Without `application/`, lower case.
    types: Vec<String>,
    /// Whether a token may have no `typ`.
    type_optional: bool,
    required: Vec<String>,
    pub(crate) claim_mapping: Vec<(String, String)>,
    pub(crate) client_id: Vec<String>,
    pub(crate) scope: String,
    pub(crate) scope_arrays: bool,
}

impl Issuer {
    /// Trusts the keys that an identity provider publishes, found through its metadata: OpenID
    /// Connect Discovery 1.0, or RFC 8414 in either form. `name` is the issuer's URL, as `iss` and
    /// the metadata have it, byte for byte.
    ///
    /// Building it does not wait for the provider: see [`RemoteJwks`] for what is fetched when, and
    /// [`ready`](Self::ready) to wait. It has to be built in a tokio runtime.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), tower_jwks::ConfigError> {
    /// use tower_backend_jwt::Issuer;
    ///
    /// let issuer = Issuer::discover("https://idp.example.com").audience("orders").build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// For other settings of the fetching there is [`from_remote`](Self::from_remote).
    #[cfg(feature = "client")]
    pub fn discover(name: impl Into<String>) -> IssuerBuilder {
        Self::from_remote(RemoteJwks::discover(name))
    }

    /// Trusts the keys that an identity provider publishes at this URL, as
    /// [`discover`](Self::discover) does, without asking for its metadata.
    #[cfg(feature = "client")]
    pub fn jwks(name: impl Into<String>, jwks_uri: impl Into<String>) -> IssuerBuilder {
        Self::from_remote(RemoteJwks::at(name, jwks_uri))
    }

    /// Trusts the keys that an identity provider publishes, fetched with these settings.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), tower_jwks::ConfigError> {
    /// use tower_backend_jwt::Issuer;
    /// use tower_jwks::{RemoteJwks, RemoteJwksBuilder};
    ///
    /// let keys = RemoteJwks::discover("https://idp.example.com")
    ///     .last_good_copy("/var/lib/orders/idp.json");
    /// let issuer = Issuer::from_remote(keys).audience("orders").build()?;
    /// # Ok(()) }
    /// ```
    ///
    /// Several issuers can share what one [`RemoteJwks`](tower_jwks::RemoteJwks) has fetched, with rules of their own each:
    /// build it, and hand clones to [`from_source`](Self::from_source).
    #[cfg(feature = "remote")]
    pub fn from_remote(keys: RemoteJwksBuilder) -> IssuerBuilder {
        IssuerBuilder::new(keys.issuer().to_owned(), Keys::Remote(Box::new(keys)))
    }

    /// Trusts the keys of a JWK Set.
    pub fn from_jwks(name: impl Into<String>, keys: JwkSet) -> IssuerBuilder {
        IssuerBuilder::new(name, Keys::Set(keys))
    }

    /// Trusts the keys of a JWK Set in a file, read once.
    ///
    /// # Errors
    ///
    /// As [`JwkSet::from_file`].
    pub fn from_jwks_file(
        name: impl Into<String>,
        path: impl AsRef<Path>,
    ) -> Result<IssuerBuilder, ConfigError> {
        Ok(Self::from_jwks(name, JwkSet::from_file(path)?))
    }

    /// Trusts these keys, read from PEM or certificates. One without a `kid` of its own is tried for
    /// tokens of any.
    pub fn from_keys(
        name: impl Into<String>,
        keys: impl IntoIterator<Item = VerifyingKey>,
    ) -> IssuerBuilder {
        IssuerBuilder::new(name, Keys::Prepared(keys.into_iter().collect()))
    }

    /// Trusts the keys that `source` has when a token comes. It says which algorithms they are
    /// for; those named by [`algorithms`](IssuerBuilder::algorithms) are a further limit.
    pub fn from_source(name: impl Into<String>, source: impl KeySource) -> IssuerBuilder {
        IssuerBuilder::new(name, Keys::Source(Box::new(source)))
    }

    /// The issuer's name, as `iss` has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Ends when its keys are there: at once, unless they are fetched. Tokens are verified, or refused
    /// with `503`, without it; it is for programs that want to wait, and for a readiness probe. It never
    /// ends if the keys never come: put a time limit around it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_backend_jwt::Issuer;
    ///
    /// async fn is_ready(issuer: &Issuer) -> bool {
    ///     tokio::time::timeout(Duration::from_secs(1), issuer.ready()).await.is_ok()
    /// }
    /// ```
    pub fn ready(&self) -> Waiting {
        self.0.source.ready()
    }

    /// The state of its keys: which they are, which of its set are not used and why, and where they
    /// are fetched how old they are, what went wrong last and when they are fetched next.
    #[must_use]
    pub fn status(&self) -> KeysStatus {
        self.0.source.status()
    }

    pub(crate) const fn rules(&self) -> &Arc<Rules> {
        &self.0
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("name", &self.0.name)
            .field("algorithms", &self.0.algorithms)
            .field("audiences", &self.0.audiences)
            .finish_non_exhaustive()
    }
}

impl Rules {
    pub(crate) fn keys(&self) -> Result<Arc<KeySet>, Refusal> {
        Ok(self.source.keys()?)
    }

    pub(crate) fn are_current(&self, keys: &Weak<KeySet>) -> Result<bool, Refusal> {
        Ok(self.source.are_current(keys)?)
    }

    /// Asks for a key that is not there; what to wait for before looking again.
    pub(crate) fn refresh_for(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Waiting> {
        self.source.refresh_for(kid, algorithm)
    }

    pub(crate) fn check_algorithm(&self, algorithm: Algorithm) -> Result<(), Refusal> {
        if self.algorithms.contains(&algorithm) {
            Ok(())
        } else {
            Err(Refusal::new(RefusalReason::AlgorithmNotAllowed))
        }
    }

    /// Compared without case.
    pub(crate) fn check_type(&self, typ: Option<&str>) -> Result<(), Refusal> {
        let accepted = typ.map_or(self.type_optional, |typ| {
            let short = short_type(typ);
            self.types
                .iter()
                .any(|accepted| accepted.eq_ignore_ascii_case(short))
        });
        if accepted {
            Ok(())
        } else {
            Err(Refusal::new(RefusalReason::WrongType))
        }
    }

    pub(crate) fn check_audience<'a>(
        &self,
        mut audiences: impl Iterator<Item = &'a str>,
    ) -> Result<(), Refusal> {
        let ours = |audience: &str| match &self.audiences {
            Some(accepted) => accepted.iter().any(|accepted| accepted == audience),
            None => true,
        };
        if audiences.any(ours) {
            Ok(())
        } else {
            Err(Refusal::new(RefusalReason::WrongAudience))
        }
    }

    pub(crate) const fn audience_required(&self) -> bool {
        self.audiences.is_some()
    }

    pub(crate) fn required(&self) -> impl Iterator<Item = &str> {
        self.required.iter().map(String::as_str)
    }
}
