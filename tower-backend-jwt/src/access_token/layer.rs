//! The layer's settings.

use super::{
    credentials::{Credentials, Scheme},
    service::AccessToken,
};
use crate::{
    CacheStatus, TokenCache, VerifiedToken, Verifier,
    refusal::{Refusal, RefusalFormat, RefusalResponse, Responder},
    scope::Requirement,
};
use http::{HeaderName, request::Parts};
use std::{fmt, sync::Arc};
use tower_jwks::ConfigError;
use tower_layer::Layer;

/// Lets a request through only with a valid access token, and leaves the [`VerifiedToken`] in its
/// extensions.
///
/// Whatever it refuses it answers itself: `400`, `401` or `403` with the challenge of RFC 6750,
/// `503` when the issuer's keys are not to be had, trailers-only with the right `grpc-status` for
/// gRPC. The [`Refusal`] is in the response's extensions, for a layer outside to count or log.
///
/// It decides at once, with one exception: a token whose key is only being fetched may wait for it, as
/// long as its issuer's keys [say](tower_jwks::KeySource::refresh_for), without holding the service
/// inside ready. For this the service has to be `Clone`, and is, with the request, in the future.
///
/// A token that was verified is remembered, in a [`TokenCache`] of the layer's own unless it is given another:
/// until it expires, is revoked, or the issuer's keys change. What is refused is not.
///
/// A token can be refused before it expires: by the [`Revocations`](crate::Revocations) that its verifier was
/// [given](crate::VerifierBuilder::revocations).
///
/// # Order
///
/// Outside: what must see refusals (tracing, metrics, CORS, whose preflights carry no
/// credentials), and [`JwksLayer`](tower_jwks::JwksLayer), whose callers have none. Inside:
/// whatever needs to know the caller, [`BackendJwtLayer`](crate::BackendJwtLayer) first of all.
/// Put limits on concurrency and size outside too, so that they hold for forged tokens as well.
///
/// One of these layers is enough for a request: a second one inside finds no token, because the
/// first has removed it. For routes that need more scopes than the others there is
/// [`RequireScopeLayer`](crate::RequireScopeLayer).
///
/// # Deployment
///
/// A proxy in front must pass the field with the token on unchanged and only once: two fields are
/// refused. One that caches must honor `Cache-Control: no-store` on refusals. The token is read
/// from this field alone, never from the query or a cookie, and the path is not looked at, so that
/// no rewriting in front changes what is checked.
///
/// The field is removed before the request goes on, unless
/// [`forward_token`](Self::forward_token) says otherwise. A stream or an upgraded connection that
/// was let through is not cut when its token expires.
///
/// ```
/// use http::{Request, Response};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_backend_jwt::{AccessTokenLayer, Issuer};
/// use tower_jwks::{Algorithm, JwkSet, SigningKey};
/// # use http_body_util::Empty;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let provider = SigningKey::generate(Algorithm::ES256)?;
/// let issuer = Issuer::from_jwks("https://idp.example.com", JwkSet::new([(&provider).into()])?)
///     .audience("orders")
///     .build()?;
///
/// let service = service_fn(async |_: Request<()>| {
///     Ok::<_, std::convert::Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
/// });
/// let service = AccessTokenLayer::new(issuer)
///     .require_all_scopes(["orders:read"])?
///     .layer(service);
///
/// let response = service.oneshot(Request::get("/orders").body(())?).await?;
/// assert_eq!(response.status(), 401);
/// assert_eq!(response.headers()["www-authenticate"], "Bearer");
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct AccessTokenLayer(Arc<Settings>);

/// Shared: some routers put a layer around their routes for each request.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) verifier: Verifier,
    pub(super) tokens: Option<TokenCache>,
    pub(super) credentials: Credentials,
    pub(super) optional: bool,
    pub(super) forward_token: bool,
    pub(super) requirements: Vec<Requirement>,
    pub(super) checks: Vec<Arc<dyn TokenCheck>>,
    pub(super) responder: Responder,
}

impl AccessTokenLayer {
    /// Lets through what this verifier verifies: a [`Verifier`], or a single
    /// [`Issuer`](crate::Issuer).
    pub fn new(verifier: impl Into<Verifier>) -> Self {
        Self(Arc::new(Settings {
            verifier: verifier.into(),
            tokens: Some(TokenCache::default()),
            credentials: Credentials::default(),
            optional: false,
            forward_token: false,
            requirements: Vec::new(),
            checks: Vec::new(),
            responder: Responder::default(),
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Lets a request without a token through as well, marked as
    /// [`Anonymous`](crate::Anonymous). A token that does not hold is refused all the same.
    ///
    /// Credentials of another scheme count as none. Where scopes are required too, a request without
    /// a token is refused: it has none of them.
    pub fn optional(self) -> Self {
        self.with(|settings| settings.optional = true)
    }

    /// Remembers at most so many verified tokens, and so many bytes of them, so that the next request with one
    /// costs no signature. Default: 10,000 and 64 MiB. The bounds are for the layer, whichever clones and
    /// services share it.
    pub fn cache(self, entries: usize, bytes: u64) -> Self {
        match entries {
            0 => self.no_cache(),
            entries => self.token_cache(TokenCache::new(entries, bytes)),
        }
    }

    /// Remembers verified tokens there, where other layers may do so too. Only layers over clones of one
    /// [`Verifier`] have tokens in common: layers made from clones of an [`Issuer`](crate::Issuer) have a verifier
    /// each, and verify each token anew.
    pub fn token_cache(self, tokens: TokenCache) -> Self {
        self.with(|settings| settings.tokens = Some(tokens))
    }

    /// Verifies the token of every request anew.
    pub fn no_cache(self) -> Self {
        self.with(|settings| settings.tokens = None)
    }

    /// How the tokens that are remembered are doing; `None` if none are remembered.
    #[must_use]
    pub fn cache_status(&self) -> Option<CacheStatus> {
        self.0.tokens.as_ref().map(TokenCache::status)
    }

    /// Reads the token from this field. Default: `Authorization`.
    pub fn header(self, header: HeaderName) -> Self {
        self.with(|settings| settings.credentials.header = header)
    }

    /// How the field holds the token. Default: after `Bearer`.
    pub fn scheme(self, scheme: Scheme) -> Self {
        self.with(|settings| settings.credentials.scheme = scheme)
    }

    /// Leaves the field with a token that was verified in the request. Default: it is removed, so that
    /// no service behind can use the caller's token.
    pub fn forward_token(self) -> Self {
        self.with(|settings| settings.forward_token = true)
    }

    /// Refuses a token that has not all of these scopes, with `403`. Requirements add up.
    ///
    /// # Errors
    ///
    /// None is named, or one is not a scope token of RFC 6749 section 3.3.
    pub fn require_all_scopes<S: AsRef<str>>(
        self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        Ok(self.require(Requirement::new(scopes, true)?))
    }

    /// Refuses a token that has none of these scopes, with `403`. Requirements add up.
    ///
    /// # Errors
    ///
    /// As [`require_all_scopes`](Self::require_all_scopes).
    pub fn require_any_scope<S: AsRef<str>>(
        self,
        scopes: impl IntoIterator<Item = S>,
    ) -> Result<Self, ConfigError> {
        Ok(self.require(Requirement::new(scopes, false)?))
    }

    fn require(self, requirement: Requirement) -> Self {
        self.with(|settings| settings.requirements.push(requirement))
    }

    /// Asks this check of your own once a token is verified and its scopes suffice. Checks add up;
    /// none is asked about a caller without a token.
    ///
    /// ```
    /// # use tower_backend_jwt::{AccessTokenLayer, Refusal, VerifiedToken};
    /// # fn example(layer: AccessTokenLayer) -> AccessTokenLayer {
    /// layer.check(|token: &VerifiedToken, _: &http::request::Parts| {
    ///     if token.claim::<bool>("email_verified")? == Some(true) {
    ///         Ok(())
    ///     } else {
    ///         Err(Refusal::forbidden())
    ///     }
    /// })
    /// # }
    /// ```
    pub fn check(self, check: impl TokenCheck) -> Self {
        self.with(|settings| settings.checks.push(Arc::new(check)))
    }

    /// The form of a refusal's body. Default: a problem document.
    pub fn refusal_format(self, format: RefusalFormat) -> Self {
        self.with(|settings| settings.responder.format = format)
    }

    /// Answers refusals with a response of your own, gRPC included.
    pub fn refuse_with(self, response: impl RefusalResponse) -> Self {
        self.with(|settings| settings.responder.hook = Some(Arc::new(response)))
    }

    /// The `realm` of the challenge. Default: none.
    ///
    /// # Errors
    ///
    /// It is not visible ASCII without quotes and backslashes.
    pub fn realm(mut self, realm: &str) -> Result<Self, ConfigError> {
        Arc::make_mut(&mut self.0).responder.set_realm(realm)?;
        Ok(self)
    }
}

impl<S> Layer<S> for AccessTokenLayer {
    type Service = AccessToken<S>;

    fn layer(&self, inner: S) -> AccessToken<S> {
        AccessToken::new(inner, Arc::clone(&self.0))
    }
}

impl fmt::Debug for AccessTokenLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenLayer")
            .field("verifier", &self.verifier)
            .field("tokens", &self.tokens)
            .field("credentials", &self.credentials)
            .field("optional", &self.optional)
            .field("forward_token", &self.forward_token)
            .field("requirements", &self.requirements)
            .field("checks", &self.checks.len())
            .field("responder", &self.responder)
            .finish()
    }
}

/// A check of the user's own, after all others.
///
/// Implemented by closures `Fn(&VerifiedToken, &Parts) -> Result<(), Refusal>`.
pub trait TokenCheck: Send + Sync + 'static {
    /// Whether a request with this head may go on with this token.
    ///
    /// # Errors
    ///
    /// Why it may not: [`Refusal::forbidden`], [`Refusal::invalid_token`],
    /// [`Refusal::insufficient_scope`].
    fn token_check(&self, token: &VerifiedToken, request: &Parts) -> Result<(), Refusal>;
}

impl<F> TokenCheck for F
where
    F: Fn(&VerifiedToken, &Parts) -> Result<(), Refusal> + Send + Sync + 'static,
{
    fn token_check(&self, token: &VerifiedToken, request: &Parts) -> Result<(), Refusal> {
        self(token, request)
    }
}
