//! A response that is either at hand or still to come from the service behind.

use super::{BytesBody, ResponseBody};
use http::Response;
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// The response future of a layer that answers some requests itself and passes the others on.
    pub struct ResponseFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<F> {
        Own { response: Option<Response<BytesBody>> },
        Inner { #[pin] future: F },
    }
}

impl<F> ResponseFuture<F> {
    /// The response of the service behind.
    #[inline]
    pub const fn inner(future: F) -> Self {
        Self {
            state: State::Inner { future },
        }
    }

    /// A response of the layer's own.
    #[must_use]
    pub const fn own(response: Response<BytesBody>) -> Self {
        Self {
            state: State::Own {
                response: Some(response),
            },
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project().state.project() {
            StateProj::Own { response } => {
                let response = response.take().expect("polled after completion");
                Ok(response.map(Into::into))
            }
            StateProj::Inner { future } => {
                ready!(future.poll(cx)).map(|response| response.map(ResponseBody::inner))
            }
        })
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
