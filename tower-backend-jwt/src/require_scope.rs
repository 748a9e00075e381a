//! More scopes for some routes, behind the layer that verified the token.

use crate::{
    Anonymous, VerifiedToken,
    refusal::{Refusal, RefusalFormat, RefusalReason, RefusalResponse, Responder},
    scope::Requirement,
};
use http::{Request, Response};
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tower_jwks::{ConfigError, ResponseBody, ResponseFuture};
use tower_layer::Layer;
use tower_service::Service;

/// Refuses a request whose [`VerifiedToken`] has too little scope, with `403`.
///
/// # Order
///
/// Inside an [`AccessTokenLayer`](crate::AccessTokenLayer), around the routes that need more than the
/// others; outside of a [`BackendJwtLayer`](crate::BackendJwtLayer), which would otherwise sign for
/// nothing. A request that was let through without a token is answered `401`, one that no
/// `AccessTokenLayer` has seen `500`.
///
/// # Deployment
///
/// Which routes it is around is the router's decision: the path that a proxy in front saw may be
/// another.
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt};
/// use tower_backend_jwt::{AccessTokenLayer, Issuer, RequireScopeLayer};
/// use tower_jwks::{Algorithm, JwkSet, SigningKey};
/// # use http_body_util::Empty;
/// # use std::time::{SystemTime, UNIX_EPOCH};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let in_a_minute = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + 60;
/// let provider = SigningKey::generate(Algorithm::ES256)?;
/// let token = provider.sign_jws("at+jwt", format!(
///     r#"{{"iss":"https://idp.example.com","aud":"orders","exp":{in_a_minute},"scope":"read"}}"#
/// ).as_bytes())?;
/// let issuer = Issuer::from_jwks("https://idp.example.com", JwkSet::new([(&provider).into()])?)
///     .audience("orders")
///     .build()?;
///
/// let service = ServiceBuilder::new()
///     .layer(AccessTokenLayer::new(issuer))
///     .layer(RequireScopeLayer::all(["write"])?)
///     .service_fn(async |_: Request<()>| {
///         Ok::<_, std::convert::Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
///     });
///
/// let request = Request::post("/orders").header("authorization", format!("Bearer {token}"));
/// let response = service.oneshot(request.body(())?).await?;
/// assert_eq!(response.status(), 403);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireScopeLayer {
    requirement: Requirement,
    responder: Responder,
}

impl RequireScopeLayer {
    /// Asks for all of these scopes.
    ///
    /// # Errors
    ///
    /// None is named, or one is not a scope token of RFC 6749 section 3.3.
    pub fn all<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Requirement::new(scopes, true).map(Self::new)
    }

    /// Asks for any of these scopes.
    ///
    /// # Errors
    ///
    /// As [`all`](Self::all).
    pub fn any<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Result<Self, ConfigError> {
        Requirement::new(scopes, false).map(Self::new)
    }

    fn new(requirement: Requirement) -> Self {
        Self {
            requirement,
            responder: Responder::default(),
        }
    }

    /// The form of a refusal's body. Default: a problem document.
    pub const fn refusal_format(mut self, format: RefusalFormat) -> Self {
        self.responder.format = format;
        self
    }

    /// Answers refusals with a response of your own, gRPC included.
    pub fn refuse_with(mut self, response: impl RefusalResponse) -> Self {
        self.responder.hook = Some(Arc::new(response));
        self
    }

    fn check<B>(&self, request: &Request<B>) -> Result<(), Refusal> {
        let extensions = request.extensions();
        match extensions.get::<VerifiedToken>() {
            Some(token) => self.requirement.check(token),
            None if extensions.get::<Anonymous>().is_some() => {
                Err(Refusal::new(RefusalReason::MissingCredentials))
            }
            None => Err(Refusal::new(RefusalReason::MissingAccessTokenLayer)),
        }
    }
}

impl<S> Layer<S> for RequireScopeLayer {
    type Service = RequireScope<S>;

    fn layer(&self, inner: S) -> RequireScope<S> {
        RequireScope {
            inner,
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`RequireScopeLayer`].
#[derive(Clone, Debug)]
pub struct RequireScope<S> {
    inner: S,
    layer: Arc<RequireScopeLayer>,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequireScope<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match self.layer.check(&request) {
            Ok(()) => ResponseFuture::inner(self.inner.call(request)),
            Err(refusal) => {
                let (head, _) = request.into_parts();
                ResponseFuture::own(self.layer.responder.respond(refusal, &head))
            }
        }
    }
}
