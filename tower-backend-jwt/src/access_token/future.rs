//! The response to a request whose token may have to wait for its key.

use super::layer::Settings;
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
use tower_jwks::{ResponseBody, Waiting};
use tower_service::Service;

pin_project! {
    /// The response future of an [`AccessTokenLayer`](crate::AccessTokenLayer).
    pub struct AccessTokenFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        held: HeldFuture<S, ReqBody, WaitForKey>,
    }
}

/// Looks at the token once more when there may be a key for it.
pub(super) struct WaitForKey {
    pub(super) waiting: Waiting,
    pub(super) settings: Arc<Settings>,
}

impl Decide for WaitForKey {
    fn poll_decide(&mut self, cx: &mut Context<'_>, head: &mut Parts) -> Poll<Result<(), Refusal>> {
        ready!(Pin::new(&mut self.waiting).poll(cx));
        Poll::Ready(self.settings.admit(head).map_err(|failure| failure.refusal))
    }

    fn responder(&self) -> &Responder {
        &self.settings.responder
    }
}

impl<S, ReqBody> AccessTokenFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    #[inline]
    pub(super) const fn new(held: HeldFuture<S, ReqBody, WaitForKey>) -> Self {
        Self { held }
    }
}

impl<S, ReqBody, ResBody> Future for AccessTokenFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().held.poll(cx)
    }
}

impl<S, ReqBody> fmt::Debug for AccessTokenFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenFuture").finish_non_exhaustive()
    }
}
