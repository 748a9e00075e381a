//! A request through a service to its response, without a runtime.

use axum::body::Body;
use http::{HeaderValue, Request, Response, Uri, header::AUTHORIZATION};
use std::{
    convert::Infallible,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};
use tower::Service;

/// The response to a request that waits for nothing.
///
/// # Panics
///
/// It waits for something: it is on no steady path then, and not what is to be measured.
pub fn call<S, Req, Res>(service: &mut S, request: Request<Req>) -> Response<Res>
where
    S: Service<Request<Req>, Response = Response<Res>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(())) = service.poll_ready(&mut context) else {
        panic!("the service is busy");
    };
    match pin!(service.call(request)).poll(&mut context) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("the request waits for something"),
    }
}

/// Requests to the route, with one token after the other.
#[derive(Clone, Debug)]
pub struct Requests {
    values: Vec<HeaderValue>,
    next: usize,
}

impl Requests {
    /// With these tokens, and from the first again after the last.
    ///
    /// # Panics
    ///
    /// A token is no text of a header field.
    #[must_use]
    pub fn new(tokens: &[String]) -> Self {
        let values = tokens.iter().map(|token| {
            HeaderValue::try_from(format!("Bearer {token}")).expect("a token is visible ASCII")
        });
        Self {
            values: values.collect(),
            next: 0,
        }
    }
}

impl Iterator for Requests {
    type Item = Request<Body>;

    /// There always is one.
    fn next(&mut self) -> Option<Request<Body>> {
        let value = self.values.get(self.next)?.clone();
        self.next = (self.next + 1) % self.values.len();
        let mut request = to_the_route(Body::empty());
        request.headers_mut().insert(AUTHORIZATION, value);
        Some(request)
    }
}

pub(crate) fn to_the_route<B>(body: B) -> Request<B> {
    let mut request = Request::new(body);
    *request.uri_mut() = Uri::from_static("/orders");
    request
}
