//! The layer's settings.

use super::{
    policies::{ChoosePolicy, ChosenPolicy, OnePolicy, Policies, Telling},
    service::BackendJwt,
};
use crate::{
    Api, BackendClaims, CacheStatus, Policy, PolicySet,
    mint::Settings,
    refusal::{RefusalFormat, RefusalResponse, Responder},
};
use std::{fmt, sync::Arc};
use tower_jwks::{Clock, ConfigError, KeyRing};
use tower_layer::Layer;

/// Tells the service behind who is calling: signs a backend JWT from the
/// [`VerifiedToken`](crate::VerifiedToken) and puts it into a header field.
///
/// The claims, in the dialect of WSO2's gateways: `iss`, `sub`, `iat`, `exp`, `jti`; of the API its
/// name, version, context and key type; of the [`Application`](crate::Application), where one is
/// in the request's extensions, its name, ids, tiers, subscriber and attributes; what the
/// [`Policy`] copies from the access token; and claims of your own, from [`claims`](Self::claims) and
/// from the [`Claims`](crate::Claims) in the request's extensions. On one name the gateway's claim wins
/// over a configured one, and that over a copied one.
///
/// A field of that name that a caller sends is removed, in every spelling, from every request; and
/// from every response. A request that was let through without a token on purpose
/// ([`Anonymous`](crate::Anonymous)), or by other credentials ([`AuthType`](crate::AuthType)), goes on
/// without the field, unless the policy asks for the [minimal](Policy::minimal_assertion) JWT. A request
/// that no [`AccessTokenLayer`](crate::AccessTokenLayer) has seen is answered `500`.
///
/// One layer does for many APIs, each with its own policy, which can be exchanged while requests are
/// served: [`from_policies`](Self::from_policies).
///
/// A JWT is used again for the same token, application and claims while at least half of its time is
/// left ([`Policy::remaining_life`]), or all of it where the access token's end is its own; never once its key no
/// longer signs. A new one is made ahead of time, in the background.
///
/// However many requests want the same one, it is signed once, and the others wait for it. Signatures of RSA
/// and P-384 keys are made beside the threads that serve requests, so that a request whose JWT is there
/// waits for nobody's. For this the service has to be `Clone`. The threads are the layer's, or the
/// [set's](crate::PolicySet): half as many as there are processors, while there is something to sign. With more than
/// 1,024 signatures waiting the next ones are made where the request is.
///
/// # Several issuers
///
/// `iss` is the gateway's and `sub` the access token's. If two of the [`Verifier`](crate::Verifier)'s issuers call
/// two users by the same `sub`, nothing in the backend JWTs tells the users apart. So name the issuer in a claim,
/// and have the services behind know a user by both:
///
/// ```
/// use http::request::Parts;
/// use tower_backend_jwt::{BackendJwtLayer, Claims, VerifiedToken};
///
/// # fn example(layer: BackendJwtLayer) -> BackendJwtLayer {
/// layer.claims(|token: &VerifiedToken, _: &Parts| Ok(Claims::new().with("idp", token.issuer())?))
/// # }
/// ```
///
/// # Order
///
/// Directly inside [`AccessTokenLayer`](crate::AccessTokenLayer), or inside whatever finds the
/// application. Inside it: only what may see the JWT, because it makes whoever has it look like the
/// gateway's caller.
///
/// # Deployment
///
/// Services behind must be reachable through the gateway alone, or verify the JWT, best both. A
/// proxy between must not merge trailers into header fields, nor take `_` for `-`, or it lets a
/// caller set the field after it was removed here. The field has 1 to 2 KiB as a rule and 8 KiB at
/// most, by default: servers behind must take that.
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_backend_jwt::{AccessTokenLayer, Api, BackendJwtLayer, Issuer};
/// use tower_jwks::{Algorithm, JwkSet, KeyRing, SigningKey};
/// # use http_body_util::Empty;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let provider = SigningKey::generate(Algorithm::ES256)?;
/// let issuer = Issuer::from_jwks("https://idp.example.com", JwkSet::new([(&provider).into()])?)
///     .audience("orders")
///     .build()?;
///
/// let service = ServiceBuilder::new()
///     .layer(AccessTokenLayer::new(issuer).optional())
///     .layer(
///         BackendJwtLayer::new(KeyRing::generate(Algorithm::ES256)?)
///             .api(Api::new("orders", "1.0.0").base_path("/orders")),
///     )
///     .service_fn(async |request: Request<()>| {
///         assert!(!request.headers().contains_key("x-jwt-assertion"));
///         Ok::<_, std::convert::Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
///     });
///
/// // Nobody is known to call, and whoever calls cannot pretend otherwise.
/// let request = Request::get("/orders").header("X-JWT-Assertion", "forged").body(())?;
/// assert_eq!(service.oneshot(request).await?.status(), 200);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct BackendJwtLayer<P = OnePolicy> {
    policies: P,
    /// What its services share, made of the policies: some routers put a layer around their routes for each
    /// request.
    telling: Arc<Telling>,
}

impl<P> BackendJwtLayer<P> {
    fn over(policies: P) -> Self
    where
        P: Clone + Into<Policies>,
    {
        let telling = Telling {
            policies: policies.clone().into(),
            claims: None,
            responder: Responder::default(),
        };
        Self {
            policies,
            telling: Arc::new(telling),
        }
    }

    fn telling(mut self, change: impl FnOnce(&mut Telling)) -> Self {
        change(Arc::make_mut(&mut self.telling));
        self
    }
}

impl BackendJwtLayer {
    /// Signs with the keys of this ring, after the default [`Policy`]; for no longer than the ring keeps a key
    /// for its tokens.
    pub fn new(keys: KeyRing) -> Self {
        Self::over(OnePolicy::new(Settings::new(keys)))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        self.policies = self.policies.with(change);
        let policies = self.policies.clone().into();
        self.telling(|telling| telling.policies = policies)
    }

    /// Signs after this policy.
    ///
    /// # Errors
    ///
    /// It asks for
    ///
    /// - another algorithm than the ring's;
    /// - a custom claim without a name, or one that the gateway makes or that is named twice;
    /// - to copy what is never copied;
    /// - an empty issuer, audience or type, the type of an access token (`at+jwt`), or JWTs of no bytes;
    /// - a field that has another meaning in HTTP: one that frames messages (`content-length`), that proxies or browsers
    ///   go by (`forwarded`, `via`, `user-agent`, `sec-…`), or the like;
    /// - a lifetime under a second, or a longer one than the ring keeps a key for ([`KeyRing::token_life`]), or a longer
    ///   [remaining one](Policy::remaining_life) than all of it;
    /// - a [form](Policy::compatibility) that names a certificate, of keys that have none.
    pub fn policy(self, policy: Policy) -> Result<Self, ConfigError> {
        let mut checked = Ok(());
        let layer = self.with(|settings| checked = settings.set_policy(policy));
        checked.map(|()| layer)
    }

    /// Names this API in the JWT. Default: none is named.
    pub fn api(self, api: Api) -> Self {
        self.with(|settings| settings.api = Some(api))
    }

    /// Takes the time from here. Default: [`SystemClock`](tower_jwks::SystemClock). With keys that rotate it has to
    /// be the ring's.
    pub fn clock(self, clock: impl Clock) -> Self {
        self.with(|settings| settings.clock = Arc::new(clock))
    }

    /// Keeps at most so many JWTs, and so many bytes of them, to be used again. Default: 10,000
    /// and 64 MiB. The bounds are for the layer, whichever clones and services share it. When they are reached
    /// there may be a few per cent fewer, as in a [`TokenCache`](crate::TokenCache::new).
    pub fn cache(self, entries: usize, bytes: u64) -> Self {
        self.with(|settings| settings.set_cache(entries, bytes))
    }

    /// Signs a JWT for every request.
    pub fn no_cache(self) -> Self {
        self.cache(0, 0)
    }

    /// How the JWTs that are kept are doing; `None` if none are kept.
    #[must_use]
    pub fn cache_status(&self) -> Option<CacheStatus> {
        self.policies.0.settings().cache_status()
    }
}

impl BackendJwtLayer<ChosenPolicy> {
    /// Signs under the policy that `choose` chooses for each request, with the keys of the set.
    ///
    /// See [`PolicySet`] for an example.
    pub fn from_policies(policies: PolicySet, choose: impl ChoosePolicy) -> Self {
        Self::over(ChosenPolicy {
            policies,
            choose: Arc::new(choose),
        })
    }
}

impl<P> BackendJwtLayer<P> {
    /// Adds claims of your own, in place of those from an earlier call.
    ///
    /// ```
    /// # use tower_backend_jwt::{BackendJwtLayer, Claims, VerifiedToken};
    /// # fn example(layer: BackendJwtLayer) -> BackendJwtLayer {
    /// layer.claims(|token: &VerifiedToken, _: &http::request::Parts| {
    ///     let name = token.claim::<String>("name")?.unwrap_or_default();
    ///     Ok(Claims::new().with("greeting", format!("Hello, {name}"))?)
    /// })
    /// # }
    /// ```
    pub fn claims(self, claims: impl BackendClaims) -> Self {
        self.telling(|telling| telling.claims = Some(Arc::new(claims)))
    }

    /// The form of a refusal's body. Default: a problem document.
    pub fn refusal_format(self, format: RefusalFormat) -> Self {
        self.telling(|telling| telling.responder.format = format)
    }

    /// Answers refusals with a response of your own, gRPC included.
    pub fn refuse_with(self, response: impl RefusalResponse) -> Self {
        self.telling(|telling| telling.responder.hook = Some(Arc::new(response)))
    }
}

impl<P, S> Layer<S> for BackendJwtLayer<P> {
    type Service = BackendJwt<S>;

    fn layer(&self, inner: S) -> BackendJwt<S> {
        BackendJwt::new(inner, Arc::clone(&self.telling))
    }
}

impl<P: fmt::Debug> fmt::Debug for BackendJwtLayer<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendJwtLayer")
            .field("policies", &self.policies)
            .field("claims", &self.telling.claims.is_some())
            .field("responder", &self.telling.responder)
            .finish()
    }
}
