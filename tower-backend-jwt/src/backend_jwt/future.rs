//! The response, without the field.

use super::body::StripBody;
use crate::field::strip;
use http::{HeaderName, Response};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_jwks::ResponseFuture;

/// The response future of [`BackendJwt`](super::BackendJwt).
pub type BackendJwtFuture<F> = StripHeaderFuture<ResponseFuture<F>>;

pin_project! {
    /// The response future of [`StripHeader`](super::StripHeader): the response of the service
    /// behind, without the field.
    pub struct StripHeaderFuture<F> {
        #[pin]
        response: F,
        name: HeaderName,
    }
}

impl<F> StripHeaderFuture<F> {
    pub(super) const fn new(response: F, name: HeaderName) -> Self {
        Self { response, name }
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
        strip(response.headers_mut(), this.name);
        let name = this.name.clone();
        Poll::Ready(Ok(response.map(|body| StripBody::new(body, name))))
    }
}

impl<F> fmt::Debug for StripHeaderFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripHeaderFuture").finish_non_exhaustive()
    }
}
