//! The response to a request whose token may have to wait for its key.

use super::layer::AccessTokenLayer;
use http::{Request, Response};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tower_jwks::{BytesBody, ResponseBody, ResponseFuture, Waiting};
use tower_service::Service;

pin_project! {
    /// The response future of an [`AccessTokenLayer`](crate::AccessTokenLayer).
    pub struct AccessTokenFuture<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, ReqBody>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        Decided { #[pin] future: ResponseFuture<S::Future> },
        // Boxed, because hardly any request waits, and each would be larger by it.
        Waiting { pending: Option<Box<Pending<S, ReqBody>>> },
    }
}

/// A request that waits for the key of its token.
struct Pending<S, ReqBody> {
    /// `None` once it is decided about.
    request: Option<Request<ReqBody>>,
    /// `None` once the wait is over.
    waiting: Option<Waiting>,
    /// A clone that is not ready: what a ready service holds, a place under a limit for one, is
    /// not to be held by requests that wait, which anybody can cause.
    inner: S,
    layer: Arc<AccessTokenLayer>,
}

impl<S, ReqBody> AccessTokenFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(super) const fn decided(future: ResponseFuture<S::Future>) -> Self {
        Self {
            state: State::Decided { future },
        }
    }

    pub(super) fn waiting(
        request: Request<ReqBody>,
        waiting: Waiting,
        inner: S,
        layer: Arc<AccessTokenLayer>,
    ) -> Self {
        let pending = Box::new(Pending {
            request: Some(request),
            waiting: Some(waiting),
            inner,
            layer,
        });
        Self {
            state: State::Waiting {
                pending: Some(pending),
            },
        }
    }
}

impl<S, ReqBody, ResBody> Future for AccessTokenFuture<S, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let pending = match state.as_mut().project() {
                StateProj::Decided { future } => return future.poll(cx),
                StateProj::Waiting { pending } => pending,
            };
            let waiter = pending.as_mut().expect("polled after completion");
            let future = match ready!(waiter.poll(cx)) {
                Ok(Decision::Refused(response)) => ResponseFuture::own(response),
                Ok(Decision::Admitted(request)) => {
                    ResponseFuture::inner(waiter.inner.call(request))
                }
                Err(error) => {
                    *pending = None;
                    return Poll::Ready(Err(error));
                }
            };
            state.set(State::Decided { future });
        }
    }
}

/// What became of a request that waited.
enum Decision<ReqBody> {
    /// The service inside is ready for it.
    Admitted(Request<ReqBody>),
    Refused(Response<BytesBody>),
}

impl<S, ReqBody> Pending<S, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Decision<ReqBody>, S::Error>> {
        if let Some(waiting) = &mut self.waiting {
            ready!(Pin::new(waiting).poll(cx));
            self.waiting = None;
            let (mut head, body) = self.request.take().expect("it is waiting").into_parts();
            if let Err(failure) = self.layer.admit(&mut head) {
                let response = self.layer.responder.respond(failure.refusal, &head);
                return Poll::Ready(Ok(Decision::Refused(response)));
            }
            self.request = Some(Request::from_parts(head, body));
        }
        ready!(self.inner.poll_ready(cx))?;
        let request = self.request.take().expect("it was admitted");
        Poll::Ready(Ok(Decision::Admitted(request)))
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
