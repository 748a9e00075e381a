//! Tower layers that validate a caller's access token and tell the services behind who is calling.
//!
//! A gateway, or any service that fronts others, checks the caller's access token (an OAuth 2.0 or
//! OpenID Connect JWT). Then it signs a short-lived *backend JWT*, with claims about the user, the
//! application and the API, and sends it along in a header field. The services behind verify it
//! with the keys the gateway publishes.
//!
//! ```
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//! use tower_backend_jwt::{AccessTokenLayer, Api, BackendJwtLayer, Issuer};
//! use tower_jwks::{Algorithm, JwkSet, JwksLayer, KeyRing, SigningKey};
//! # use http_body_util::Empty;
//! # use std::time::{SystemTime, UNIX_EPOCH};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let in_a_minute = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + 60;
//! // The identity provider's side: a key, and a token.
//! let provider = SigningKey::generate(Algorithm::ES256)?;
//! let token = provider.sign_jws("at+jwt", format!(
//!     r#"{{"iss":"https://idp.example.com","aud":"orders","sub":"alice","exp":{in_a_minute}}}"#
//! ).as_bytes())?;
//!
//! // Ours: whom we trust, and what we sign with.
//! let issuer = Issuer::from_jwks("https://idp.example.com", JwkSet::new([(&provider).into()])?)
//!     .audience("orders")
//!     .build()?;
//! let keys = KeyRing::generate(Algorithm::ES256)?;
//!
//! let stack = ServiceBuilder::new()
//!     .layer(JwksLayer::new(keys.clone())) // GET /.wellknown/jwks, without a token
//!     .layer(AccessTokenLayer::new(issuer)) // 401 unless the token verifies
//!     .layer(BackendJwtLayer::new(keys).api(Api::new("orders", "1.0.0"))) // X-JWT-Assertion
//!     .service_fn(async |request: Request<()>| {
//!         assert!(request.headers().contains_key("x-jwt-assertion"));
//!         assert!(!request.headers().contains_key("authorization"));
//!         Ok::<_, std::convert::Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
//!     });
//!
//! let with = Request::get("/orders").header("authorization", format!("Bearer {token}"));
//! assert_eq!(stack.clone().oneshot(with.body(())?).await?.status(), 200);
//! let without = Request::get("/orders");
//! assert_eq!(stack.clone().oneshot(without.body(())?).await?.status(), 401);
//! let keys = Request::get("/.wellknown/jwks");
//! assert_eq!(stack.oneshot(keys.body(())?).await?.status(), 200);
//! # Ok(()) }
//! ```
//!
//! # The layers, and their order
//!
//! ```text
//!  caller ──► JwksLayer ──► AccessTokenLayer ──► BackendJwtLayer ──► your service
//!             answers the    VerifiedToken, or    X-JWT-Assertion
//!             JWKS paths     401/403/400/503
//! ```
//!
//! - [`JwksLayer`](tower_jwks::JwksLayer) outermost: verifiers have no token.
//! - [`AccessTokenLayer`] validates the token and leaves a [`VerifiedToken`] in the request's
//!   extensions.
//! - [`RequireScopeLayer`] asks for more scopes around some routes.
//! - [`ApplicationLayer`] and [`UserClaimsLayer`] look up what else there is to say of the caller: in a
//!   database, in a directory.
//! - [`BackendJwtLayer`] removes the field if a caller sent it, and sets it from the
//!   [`VerifiedToken`]; after one [`Policy`], or after that of each API in a [`PolicySet`] that can be
//!   exchanged while requests are served.
//!
//! They are tower layers over `http` types, generic over both bodies: axum, hyper and tonic all
//! take them. Around them go tracing, CORS and limits, which should see refusals; inside go the
//! things that need to know the caller.
//!
//! The pure parts can be used without HTTP: [`Verifier`] takes a token's text and gives a
//! [`VerifiedToken`].
//!
//! # What is remembered, and what is revoked
//!
//! A token that was verified is remembered in a [`TokenCache`], and the backend JWT for it by [`BackendJwtLayer`]:
//! the next request costs no signature. Both are bounded, on by default, and tell by [`CacheStatus`] how they are doing.
//!
//! A token is taken until it expires, unless it is named to the [`Revocations`] that the [`Verifier`] was
//! [given](VerifierBuilder::revocations). These are one process's, and a backend JWT that was handed out lives on until
//! its own end.
//!
//! # What is refused
//!
//! A [`Refusal`] is a response, never an error of the service. The caller learns a status and an
//! error code of RFC 6750; the [`RefusalReason`] is in the response's extensions and in a `tracing`
//! event. No token and no claim's value is in any of them.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `aws-lc-rs` | yes | cryptography by aws-lc-rs; taken when `ring` is on as well |
//! | `ring` | no | cryptography by ring, which cannot generate RSA keys; one of the two is needed |
//! | `client` | yes | [`Issuer::discover`] and [`Issuer::jwks`], with an HTTP client by hyper and rustls; brings `remote` |
//! | `remote` | with `client` | [`Issuer::from_remote`], over any HTTP client that is a tower service |
//! | `sources` | yes | [`ApplicationLayer`] and [`UserClaimsLayer`]; tokio's clock |
//! | `tracing` | yes | an event for each refusal, each signed JWT and each fetch of keys |
//! | `axum` | no | extractors for [`VerifiedToken`] |
//! | `config` | no | the `BackendJwt` policy as an apk-conf of WSO2 APK writes it |

//! # Coming from WSO2
//!
//! [A page](_coming_from_wso2) goes through the settings of APK, Choreo and API Manager: what each is here,
//! what differs and why.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod access_token;
#[cfg(feature = "axum")]
mod axum;
mod backend_jwt;
mod base64url;
mod bounded;
mod cache_status;
mod claims;
#[cfg(feature = "config")]
mod config;
mod field;
mod head;
mod held;
mod identity;
mod issuer;
mod jose_headers;
mod json;
mod jws;
#[cfg(feature = "sources")]
mod lookup;
mod mint;
mod refusal;
mod require_scope;
mod revocations;
mod scope;
mod token_cache;
mod trace;
mod verified;
mod verifier;

#[cfg(doc)]
#[doc = include_str!("../COMING-FROM-WSO2.md")]
pub mod _coming_from_wso2 {}

#[cfg(feature = "axum")]
pub use self::axum::TokenRejection;
#[cfg(feature = "config")]
pub use self::config::BackendJwtEntry;
#[cfg(feature = "sources")]
pub use self::lookup::{
    ApplicationLayer, ApplicationQuery, ApplicationSource, ClaimsSource, Lookup, LookupFuture,
    UserClaimsLayer, UserQuery,
};
pub use self::{
    access_token::{AccessToken, AccessTokenFuture, AccessTokenLayer, Scheme, TokenCheck},
    backend_jwt::{
        BackendJwt, BackendJwtFuture, BackendJwtLayer, ChoosePolicy, ChosenPolicy, OnePolicy,
        StripBody, StripHeader, StripHeaderFuture, StripHeaderLayer,
    },
    cache_status::CacheStatus,
    identity::KnownBy,
    issuer::{Issuer, IssuerBuilder},
    mint::{
        Api, Application, AuthType, BackendClaims, ClaimType, Claims, Compatibility, CopiedClaims,
        CustomClaim, Policy, PolicySet, PolicySetBuilder, PreparedPolicy, Subscription,
    },
    refusal::{Refusal, RefusalFormat, RefusalReason, RefusalResponse},
    require_scope::{RequireScope, RequireScopeLayer},
    revocations::Revocations,
    token_cache::TokenCache,
    verified::{Anonymous, VerifiedToken},
    verifier::{Verifier, VerifierBuilder},
};
