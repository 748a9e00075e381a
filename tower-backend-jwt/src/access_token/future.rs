//! The response to a request whose token may have to wait for its key.

use super::layer::AccessTokenLayer;
use http::{Request, Response, request::Parts};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tower_jwks::{ResponseBody, ResponseFuture, Waiting};
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
        Waiting { waiting: Waiting, held: Option<Box<Held<S, ReqBody>>> },
        Admitted { held: Option<Box<Held<S, ReqBody>>> },
    }
}

/// A request that waits for the key of its token.
struct Held<S, ReqBody> {
    head: Parts,
    body: ReqBody,
    /// Not ready: what a ready service holds, a place under a limit for one, is not to be held by
    /// requests that wait, which anybody can cause.
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
        waiting: Waiting,
        (head, body): (Parts, ReqBody),
        inner: S,
        layer: Arc<AccessTokenLayer>,
    ) -> Self {
        let held = Box::new(Held {
            head,
            body,
            inner,
            layer,
        });
        Self {
            state: State::Waiting {
                waiting,
                held: Some(held),
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
            let next = match state.as_mut().project() {
                StateProj::Decided { future } => return future.poll(cx),
                StateProj::Waiting { waiting, held } => {
                    ready!(Pin::new(waiting).poll(cx));
                    let mut held = held.take().expect("it is held while it waits");
                    match held.layer.admit(&mut held.head) {
                        Ok(()) => State::Admitted { held: Some(held) },
                        Err(failure) => {
                            let responder = &held.layer.responder;
                            let response = responder.respond(failure.refusal, &held.head);
                            State::Decided {
                                future: ResponseFuture::own(response),
                            }
                        }
                    }
                }
                StateProj::Admitted { held } => {
                    let waiter = held.as_mut().expect("polled after completion");
                    let ready = ready!(waiter.inner.poll_ready(cx));
                    let Held {
                        head,
                        body,
                        mut inner,
                        ..
                    } = *held.take().expect("it was there two lines ago");
                    match ready {
                        Ok(()) => State::Decided {
                            future: ResponseFuture::inner(
                                inner.call(Request::from_parts(head, body)),
                            ),
                        },
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                }
            };
            state.set(next);
        }
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
