//! A request that is held while something about it is found out.

use crate::refusal::{Refusal, Responder};
use http::{Request, Response, request::Parts};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_jwks::{ResponseBody, ResponseFuture};
use tower_service::Service;

/// What a request is held for.
pub(crate) trait Decide {
    /// Whether the request goes on, and marks its head with what was found out.
    fn poll_decide(&mut self, cx: &mut Context<'_>, head: &mut Parts) -> Poll<Result<(), Refusal>>;

    /// Answers a request that does not.
    fn responder(&self) -> &Responder;
}

pin_project! {
    /// The response to a request that may be held.
    pub(crate) struct HeldFuture<S, ReqBody, D>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, ReqBody, D>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, ReqBody, D>
    where
        S: Service<Request<ReqBody>>,
    {
        Decided { #[pin] future: ResponseFuture<S::Future> },
        // Boxed, because few requests are held, and each would be larger by it.
        Held { held: Option<Box<Held<S, ReqBody, D>>> },
        Admitted { held: Option<Box<Held<S, ReqBody, D>>> },
    }
}

struct Held<S, ReqBody, D> {
    head: Parts,
    body: ReqBody,
    /// Not ready: what a ready service holds, a place under a limit for one, is not to be held by
    /// requests that wait, which callers can cause.
    inner: S,
    decide: D,
}

impl<S, ReqBody, D> HeldFuture<S, ReqBody, D>
where
    S: Service<Request<ReqBody>>,
{
    /// Nothing has to be waited for.
    #[inline]
    pub(crate) const fn decided(future: ResponseFuture<S::Future>) -> Self {
        Self {
            state: State::Decided { future },
        }
    }
}

impl<S, ReqBody, D> HeldFuture<S, ReqBody, D>
where
    S: Service<Request<ReqBody>> + Clone,
{
    /// Holds the request. What was reserved for it is given back meanwhile: a clone that is not ready
    /// takes the place of the service that is.
    pub(crate) fn held(inner: &mut S, (head, body): (Parts, ReqBody), decide: D) -> Self {
        let unready = inner.clone();
        *inner = unready.clone();
        let held = Box::new(Held {
            head,
            body,
            inner: unready,
            decide,
        });
        Self {
            state: State::Held { held: Some(held) },
        }
    }
}

impl<S, ReqBody, D, ResBody> Future for HeldFuture<S, ReqBody, D>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    D: Decide,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProj::Decided { future } => return future.poll(cx),
                StateProj::Held { held } => {
                    let waiter = held.as_mut().expect("it is held while it waits");
                    // Before the service is ready, though that may take time in which a token ends: a request that is
                    // refused, which anybody can cause, is not to wait for a service that is busy.
                    let decision = ready!(waiter.decide.poll_decide(cx, &mut waiter.head));
                    let held = held.take().expect("it was there two lines ago");
                    match decision {
                        Ok(()) => State::Admitted { held: Some(held) },
                        Err(refusal) => {
                            let response = held.decide.responder().respond(refusal, &held.head);
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
