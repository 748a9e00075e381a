//! The attributes of a user.

use super::{
    asking::{Asking, Kept},
    service::{Find, Finding, Found, Lookup},
};
use crate::{
    AuthType, Claims, VerifiedToken,
    refusal::{Refusal, RefusalFormat, RefusalResponse, Responder},
};
use http::request::Parts;
use std::{fmt, future::Future, sync::Arc, time::Duration};
use tower_layer::Layer;

/// Knows claims about users.
///
/// Implemented by closures `Fn(UserQuery) -> impl Future`.
pub trait ClaimsSource: Send + Sync + 'static {
    /// The claims about this user that the backend JWT is to have; none if nothing is known.
    ///
    /// # Errors
    ///
    /// [`Refusal::source_unavailable`] if they cannot be found out now.
    fn claims(&self, query: UserQuery) -> impl Future<Output = Result<Claims, Refusal>> + Send;
}

impl<F, A> ClaimsSource for F
where
    F: Fn(UserQuery) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Claims, Refusal>> + Send,
{
    fn claims(&self, query: UserQuery) -> impl Future<Output = Result<Claims, Refusal>> + Send {
        self(query)
    }
}

/// Which user is asked for.
#[derive(Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct UserQuery {
    issuer: Arc<str>,
    subject: Box<str>,
}

impl UserQuery {
    /// Asks for the user of this issuer with this subject.
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self {
            issuer: issuer.into(),
            subject: subject.into(),
        }
    }

    /// Who issued the token: a subject is unique at its issuer only.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom the token is about: a user, or with client credentials the client itself.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }
}

/// Finds claims about the user, for the backend JWT: an address, roles, whatever a directory knows.
///
/// They are [`Claims`] in the request's extensions from there on, beside any that are there already; a
/// name that is claimed twice is answered `500`. The source is asked, and what it says is kept, as by an
/// [`ApplicationLayer`](crate::ApplicationLayer). A request without a token, or whose token has no
/// subject, goes by unasked.
///
/// # Order
///
/// Inside [`AccessTokenLayer`](crate::AccessTokenLayer), outside of
/// [`BackendJwtLayer`](crate::BackendJwtLayer). It waits on tokio's clock: the runtime has to have one.
///
/// ```
/// use tower_backend_jwt::{Claims, UserClaimsLayer, UserQuery};
///
/// let layer = UserClaimsLayer::new(|query: UserQuery| async move {
///     // A directory, in earnest.
///     let department = if query.subject() == "alice" { "sales" } else { "none" };
///     Ok(Claims::new().with("department", department)?)
/// });
/// ```
#[derive(Clone)]
#[must_use]
pub struct UserClaimsLayer {
    asking: Asking<UserQuery, Claims>,
    responder: Responder,
}

impl UserClaimsLayer {
    /// Asks this source.
    pub fn new(source: impl ClaimsSource) -> Self {
        let source = Arc::new(source);
        Self {
            asking: Asking::new(
                "user claims",
                Arc::new(move |query| {
                    let source = Arc::clone(&source);
                    Box::pin(async move { source.claims(query).await })
                }),
            ),
            responder: Responder::default(),
        }
    }

    /// How long an answer is believed. Default: a minute. That nothing is known of a user is never believed
    /// for more than ten seconds, and a failure for one.
    pub const fn fresh_for(mut self, age: Duration) -> Self {
        self.asking.fresh_for = age;
        self
    }

    /// When the source does not answer or fails, requests go on without what it would have said. Default:
    /// they are answered `503`.
    pub const fn fail_open(mut self) -> Self {
        self.asking.fail_open = true;
        self
    }

    source_settings!();
}

/// Puts claims beside those that are there.
fn add(claims: &Claims, head: &mut Parts) -> Result<(), Refusal> {
    let had = head.extensions.remove::<Claims>().unwrap_or_default();
    head.extensions.insert(had.merge(claims)?);
    Ok(())
}

impl Find for UserClaimsLayer {
    fn find(&self, head: &mut Parts) -> Result<Option<Finding>, Refusal> {
        let Some(token) = head.extensions.get::<VerifiedToken>() else {
            return AuthType::of(&head.extensions).map(|_| None);
        };
        let Some(subject) = token.subject() else {
            return Ok(None);
        };
        let query = UserQuery {
            issuer: token.issuer_shared(),
            subject: subject.into(),
        };
        if let Some(known) = self.asking.known(&query) {
            return add(&known, head).map(|()| None);
        }
        let asked = self.asking.clone().ask(query);
        Ok(Some(Box::pin(async move {
            let answer = asked.await?;
            let found: Found = Box::new(move |head: &mut Parts| match answer {
                Some(claims) => add(&claims, head),
                None => Ok(()),
            });
            Ok(found)
        })))
    }

    fn responder(&self) -> &Responder {
        &self.responder
    }
}

impl<S> Layer<S> for UserClaimsLayer {
    type Service = Lookup<S>;

    fn layer(&self, inner: S) -> Lookup<S> {
        Lookup::new(inner, self.clone())
    }
}

impl Kept for UserQuery {
    fn bytes(&self) -> usize {
        self.subject.len()
    }
}

impl Kept for Claims {
    fn bytes(&self) -> usize {
        self.size()
    }

    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl fmt::Debug for UserQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserQuery")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UserClaimsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserClaimsLayer")
            .field("asking", &self.asking)
            .field("responder", &self.responder)
            .finish()
    }
}
