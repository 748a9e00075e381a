//! A layer that finds something out about a request before it goes on.

use crate::{
    held::{Decide, HeldFuture},
    refusal::{Refusal, Responder},
};
use http::{Request, Response, request::Parts};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tower_jwks::{ResponseBody, ResponseFuture};
use tower_service::Service;

/// What a layer finds out about requests.
pub(super) trait Find: fmt::Debug + Send + Sync {
    /// Decides at once, or says what has to be waited for.
    fn find(&self, head: &mut Parts) -> Result<Option<Finding>, Refusal>;

    fn responder(&self) -> &Responder;
}

/// Ends with what is then to be done with the request's head.
pub(super) type Finding = Pin<Box<dyn Future<Output = Result<Found, Refusal>> + Send>>;
pub(super) type Found = Box<dyn FnOnce(&mut Parts) -> Result<(), Refusal> + Send>;

/// The service of an [`ApplicationLayer`](super::ApplicationLayer) or a
/// [`UserClaimsLayer`](super::UserClaimsLayer).
#[derive(Clone, Debug)]
pub struct Lookup<S> {
    inner: S,
    find: Arc<dyn Find>,
}

impl<S> Lookup<S> {
    pub(super) fn new(inner: S, find: impl Find + 'static) -> Self {
        Self {
            inner,
            find: Arc::new(find),
        }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Lookup<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = LookupFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let held = match self.find.find(&mut head) {
            Ok(None) => {
                let request = Request::from_parts(head, body);
                HeldFuture::decided(ResponseFuture::inner(self.inner.call(request)))
            }
            Ok(Some(finding)) => {
                let find = Arc::clone(&self.find);
                HeldFuture::held(
                    &mut self.inner,
                    (head, body),
                    WaitForSource { finding, find },
                )
            }
            Err(refusal) => {
                let response = self.find.responder().respond(refusal, &head);
                HeldFuture::decided(ResponseFuture::own(response))
            }
        };
        LookupFuture { held }
    }
}

pin_project! {
    /// The response future of a [`Lookup`].
    pub struct LookupFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        held: HeldFuture<S, ReqBody, WaitForSource>,
    }
}

struct WaitForSource {
    finding: Finding,
    find: Arc<dyn Find>,
}

impl Decide for WaitForSource {
    fn poll_decide(&mut self, cx: &mut Context<'_>, head: &mut Parts) -> Poll<Result<(), Refusal>> {
        let found = ready!(self.finding.as_mut().poll(cx));
        Poll::Ready(found.and_then(|found| found(head)))
    }

    fn responder(&self) -> &Responder {
        self.find.responder()
    }
}

impl<S, ReqBody, ResBody> Future for LookupFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().held.poll(cx)
    }
}

impl<S, ReqBody> fmt::Debug for LookupFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookupFuture").finish_non_exhaustive()
    }
}
