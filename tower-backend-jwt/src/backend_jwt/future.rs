//! The response, without the fields.

use super::{body::StripBody, field_names::Names, policies::Telling, service::set};
use crate::{
    field::strip,
    held::{Decide, HeldFuture},
    mint::Awaited,
    refusal::{Refusal, Responder},
};
use http::{HeaderName, Request, Response, request::Parts};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tower_jwks::ResponseBody;
use tower_service::Service;

pin_project! {
    /// The response future of [`BackendJwt`](super::BackendJwt).
    pub struct BackendJwtFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        response: StripHeaderFuture<HeldFuture<S, ReqBody, WaitForJwt>>,
    }
}

/// Sets the field when its JWT is signed.
pub(super) struct WaitForJwt {
    pub(super) awaited: Awaited,
    pub(super) header: HeaderName,
    pub(super) telling: Arc<Telling>,
}

impl Decide for WaitForJwt {
    fn poll_decide(&mut self, cx: &mut Context<'_>, head: &mut Parts) -> Poll<Result<(), Refusal>> {
        let outcome = ready!(Pin::new(&mut self.awaited).poll(cx));
        Poll::Ready(outcome.and_then(|value| set(&mut head.headers, &self.header, value)))
    }

    fn responder(&self) -> &Responder {
        &self.telling.responder
    }
}

impl<S, ReqBody> BackendJwtFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    #[inline]
    pub(super) const fn new(response: HeldFuture<S, ReqBody, WaitForJwt>, names: Names) -> Self {
        Self {
            response: StripHeaderFuture::new(response, names),
        }
    }
}

impl<S, ReqBody, ResBody> Future for BackendJwtFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<StripBody<ResponseBody<ResBody>>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().response.poll(cx)
    }
}

impl<S, ReqBody> fmt::Debug for BackendJwtFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendJwtFuture").finish_non_exhaustive()
    }
}

pin_project! {
    /// The response future of [`StripHeader`](super::StripHeader): the response of the service
    /// behind, without the fields.
    pub struct StripHeaderFuture<F> {
        #[pin]
        response: F,
        // Taken when it is done.
        names: Option<Names>,
    }
}

impl<F> StripHeaderFuture<F> {
    #[inline]
    pub(super) const fn new(response: F, names: Names) -> Self {
        Self {
            response,
            names: Some(names),
        }
    }
}

impl<F, B, E> Future for StripHeaderFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<StripBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.response.poll(cx))?;
        let names = this.names.take().expect("polled after completion");
        for name in names.iter() {
            strip(response.headers_mut(), name);
        }
        Poll::Ready(Ok(response.map(|body| StripBody::new(body, names))))
    }
}

impl<F> fmt::Debug for StripHeaderFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripHeaderFuture").finish_non_exhaustive()
    }
}
