//! The response, without the fields.

use super::body::StripBody;
use crate::field::strip;
use http::{HeaderName, Response};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tower_jwks::ResponseFuture;

/// The response future of [`BackendJwt`](super::BackendJwt).
pub type BackendJwtFuture<F> = StripHeaderFuture<ResponseFuture<F>>;

pin_project! {
    /// The response future of [`StripHeader`](super::StripHeader): the response of the service
    /// behind, without the fields.
    pub struct StripHeaderFuture<F> {
        #[pin]
        response: F,
        names: Arc<[HeaderName]>,
    }
}

impl<F> StripHeaderFuture<F> {
    pub(super) const fn new(response: F, names: Arc<[HeaderName]>) -> Self {
        Self { response, names }
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
        for name in this.names.iter() {
            strip(response.headers_mut(), name);
        }
        let names = Arc::clone(this.names);
        Poll::Ready(Ok(response.map(|body| StripBody::new(body, names))))
    }
}

impl<F> fmt::Debug for StripHeaderFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripHeaderFuture").finish_non_exhaustive()
    }
}
