//! The application behind a client id, and its subscription.

use super::{
    asking::{Asking, Kept},
    service::{Find, Finding, Found, Lookup},
};
use crate::{
    Api, Application, AuthType, Subscription, VerifiedToken,
    refusal::{Refusal, RefusalFormat, RefusalReason, RefusalResponse, Responder},
};
use http::request::Parts;
use std::{fmt, future::Future, sync::Arc, time::Duration};
use tower_layer::Layer;

/// Knows applications by their client ids.
///
/// Implemented by closures `Fn(ApplicationQuery) -> impl Future`.
pub trait ApplicationSource: Send + Sync + 'static {
    /// The application with this client id, with its [subscription](Application::subscription) to the API
    /// that is called; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Refusal::source_unavailable`] if it cannot be found out now.
    fn application(
        &self,
        query: ApplicationQuery,
    ) -> impl Future<Output = Result<Option<Application>, Refusal>> + Send;
}

impl<F, A> ApplicationSource for F
where
    F: Fn(ApplicationQuery) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Option<Application>, Refusal>> + Send,
{
    fn application(
        &self,
        query: ApplicationQuery,
    ) -> impl Future<Output = Result<Option<Application>, Refusal>> + Send {
        self(query)
    }
}

/// Which application is asked for.
#[derive(Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct ApplicationQuery {
    issuer: Arc<str>,
    client_id: Box<str>,
    api: Option<Arc<Api>>,
}

impl ApplicationQuery {
    /// Asks for the client of this issuer with this id.
    pub fn new(issuer: &str, client_id: &str) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            api: None,
        }
    }

    /// And for its subscription to this API.
    pub fn with_api(mut self, api: Api) -> Self {
        self.api = Some(Arc::new(api));
        self
    }

    /// Who issued the token: two issuers may give the same id to two clients.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The client the token was issued to, as [`VerifiedToken::client_id`] says.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The API that is called, if the layer knows it.
    #[must_use]
    pub fn api(&self) -> Option<&Api> {
        self.api.as_deref()
    }
}

/// Finds the [`Application`] through which an API is called, for the layers behind: it is in the
/// request's extensions from there on, and [`BackendJwtLayer`](crate::BackendJwtLayer) says what it is.
///
/// The source is asked once for all requests of a client that come at the same time, and again when what
/// it said is older than a minute; a failure is believed for a second. What is kept has a bound. Without an
/// answer within two seconds, or when the source fails, the request is answered `503`.
///
/// A request without a token goes by unasked, with the application that is in its extensions, if one is.
///
/// # Order
///
/// Inside [`AccessTokenLayer`](crate::AccessTokenLayer), outside of
/// [`BackendJwtLayer`](crate::BackendJwtLayer). It waits on tokio's clock: the runtime has to have one.
///
/// ```
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt};
/// use tower_backend_jwt::{
///     AccessTokenLayer, Api, Application, ApplicationLayer, ApplicationQuery, BackendJwtLayer, Issuer, Subscription,
/// };
/// use tower_jwks::{Algorithm, JwkSet, KeyRing, SigningKey};
/// # use http_body_util::Empty;
/// # use std::time::{SystemTime, UNIX_EPOCH};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let in_a_minute = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + 60;
/// # let provider = SigningKey::generate(Algorithm::ES256)?;
/// # let token = provider.sign_jws("at+jwt", format!(
/// #     r#"{{"iss":"https://idp.example.com","aud":"orders","client_id":"shop","exp":{in_a_minute}}}"#
/// # ).as_bytes())?;
/// # let issuer = Issuer::from_jwks("https://idp.example.com", JwkSet::new([(&provider).into()])?)
/// #     .audience("orders")
/// #     .build()?;
/// // A database, in earnest.
/// let applications = |query: ApplicationQuery| async move {
///     let shop = Application::new("7", "Web shop").with_tier("Gold").with_subscription(Subscription::Active);
///     Ok((query.client_id() == "shop").then_some(shop))
/// };
/// let service = ServiceBuilder::new()
///     .layer(AccessTokenLayer::new(issuer))
///     .layer(
///         ApplicationLayer::new(applications)
///             .api(Api::new("orders", "1.0.0"))
///             .require_subscription(),
///     )
///     .layer(BackendJwtLayer::new(KeyRing::generate(Algorithm::ES256)?))
///     .service_fn(async |request: Request<()>| {
///         assert!(request.extensions().get::<Application>().is_some());
///         Ok::<_, std::convert::Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
///     });
/// let request = Request::get("/").header("authorization", format!("Bearer {token}")).body(())?;
/// assert_eq!(service.oneshot(request).await?.status(), 200);
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct ApplicationLayer {
    asking: Asking<ApplicationQuery, Option<Application>>,
    api: Option<Arc<Api>>,
    subscribed: bool,
    responder: Responder,
}

impl ApplicationLayer {
    /// Asks this source.
    pub fn new(source: impl ApplicationSource) -> Self {
        let source = Arc::new(source);
        Self {
            asking: Asking::new(
                "application",
                Arc::new(move |query| {
                    let source = Arc::clone(&source);
                    Box::pin(async move { source.application(query).await })
                }),
            ),
            api: None,
            subscribed: false,
            responder: Responder::default(),
        }
    }

    /// Asks for subscriptions to this API. An [`Api`] in the request's extensions comes before it; what the
    /// backend JWT says of the API is up to [`BackendJwtLayer`](crate::BackendJwtLayer) alone.
    pub fn api(mut self, api: Api) -> Self {
        self.api = Some(Arc::new(api));
        self
    }

    /// Refuses, with `403`, a caller whose application is not known or has no
    /// [active subscription](Application::subscription), a caller without a token included. Default: such a
    /// caller goes on, and what is known of the application is said.
    pub const fn require_subscription(mut self) -> Self {
        self.subscribed = true;
        self
    }

    /// How long an answer is believed. Default: a minute. That there is no such application, or no active
    /// subscription, is never believed for more than ten seconds, and a failure for one.
    pub const fn fresh_for(mut self, age: Duration) -> Self {
        self.asking.fresh_for = age;
        self
    }

    /// When the source does not answer or fails, requests go on without what it would have said. Default:
    /// they are answered `503`.
    ///
    /// They go on also where a [subscription](Self::require_subscription) is required, and nobody has
    /// looked whether there is one.
    pub const fn fail_open(mut self) -> Self {
        self.asking.fail_open = true;
        self
    }

    source_settings!();

    /// Marks a request with what was found, if it goes on.
    fn admit(
        subscribed: bool,
        found: Option<Application>,
        head: &mut Parts,
    ) -> Result<(), Refusal> {
        if subscribed {
            match found.as_ref().and_then(Application::subscription) {
                Some(Subscription::Active) => {}
                Some(Subscription::Blocked) => {
                    return Err(Refusal::new(RefusalReason::SubscriptionBlocked));
                }
                None => return Err(Refusal::new(RefusalReason::NotSubscribed)),
            }
        }
        if let Some(application) = found {
            head.extensions.insert(application);
        }
        Ok(())
    }
}

impl Find for ApplicationLayer {
    fn find(&self, head: &mut Parts) -> Result<Option<Finding>, Refusal> {
        let Some(token) = head.extensions.get::<VerifiedToken>() else {
            AuthType::of(&head.extensions)?;
            // Who has checked an API key, say, knows the application.
            let known = head.extensions.get::<Application>().cloned();
            return Self::admit(self.subscribed, known, head).map(|()| None);
        };
        let query = token.client_id().map(|client_id| ApplicationQuery {
            issuer: token.issuer_shared(),
            client_id: client_id.into(),
            api: match head.extensions.get::<Api>() {
                Some(api) => Some(Arc::new(api.clone())),
                None => self.api.clone(),
            },
        });
        // Only what is found here counts.
        head.extensions.remove::<Application>();
        let subscribed = self.subscribed;
        let Some(query) = query else {
            return Self::admit(subscribed, None, head).map(|()| None);
        };
        if let Some(known) = self.asking.known(&query) {
            return Self::admit(subscribed, known, head).map(|()| None);
        }
        let asked = self.asking.clone().ask(query);
        Ok(Some(Box::pin(async move {
            let answer = asked.await?;
            let found: Found = Box::new(move |head: &mut Parts| match answer {
                Some(found) => Self::admit(subscribed, found, head),
                None => Ok(()),
            });
            Ok(found)
        })))
    }

    fn responder(&self) -> &Responder {
        &self.responder
    }
}

impl<S> Layer<S> for ApplicationLayer {
    type Service = Lookup<S>;

    fn layer(&self, inner: S) -> Lookup<S> {
        Lookup::new(inner, self.clone())
    }
}

impl Kept for ApplicationQuery {
    fn bytes(&self) -> usize {
        self.client_id.len() + self.api.as_ref().map_or(0, |api| api.size())
    }
}

impl Kept for Option<Application> {
    fn bytes(&self) -> usize {
        self.as_ref().map_or(0, Application::size)
    }

    fn is_nothing(&self) -> bool {
        let subscription = self.as_ref().and_then(Application::subscription);
        subscription != Some(Subscription::Active)
    }
}

impl fmt::Debug for ApplicationQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationQuery")
            .field("issuer", &self.issuer)
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ApplicationLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplicationLayer")
            .field("asking", &self.asking)
            .field("api", &self.api)
            .field("require_subscription", &self.subscribed)
            .field("responder", &self.responder)
            .finish()
    }
}
