//! A request through a service to its response, without a runtime.

use crate::Case;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header::AUTHORIZATION};
use std::{
    convert::Infallible,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};
use tower_service::Service;

/// The response to a request. Where it waits, for a signature that is made beside this thread, this thread does.
///
/// # Panics
///
/// The service is busy.
pub fn call<S, Req, Res>(service: &mut S, request: Request<Req>) -> Response<Res>
where
    S: Service<Request<Req>, Response = Response<Res>, Error = Infallible>,
{
    let mut noop = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(())) = service.poll_ready(&mut noop) else {
        panic!("the service is busy");
    };
    let mut response = pin!(service.call(request));
    // Nearly all are there at once, which is not to pay for those that are not.
    let Poll::Ready(Ok(response)) = response.as_mut().poll(&mut noop) else {
        return wait(response);
    };
    response
}

fn wait<Res>(
    mut response: Pin<&mut impl Future<Output = Result<Response<Res>, Infallible>>>,
) -> Response<Res> {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(Ok(response)) = response.as_mut().poll(&mut context) {
            return response;
        }
        thread::park();
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

    /// The next one, with a body of nothing.
    ///
    /// # Panics
    ///
    /// It was made with no token.
    pub fn next_with<B: Default>(&mut self) -> Request<B> {
        let value = self.values[self.next].clone();
        self.next = (self.next + 1) % self.values.len();
        let mut request = to_the_route(B::default());
        request.headers_mut().insert(AUTHORIZATION, value);
        request
    }
}

/// A request without a token.
pub fn to_the_route<B>(body: B) -> Request<B> {
    let mut request = Request::new(body);
    *request.uri_mut() = Uri::from_static("/orders");
    request
}

/// Requests with these tokens through a service, which answers all of them with this status.
pub fn through<S, Req, Res>(
    name: &'static str,
    mut service: S,
    tokens: &[String],
    status: StatusCode,
) -> Case
where
    S: Service<Request<Req>, Response = Response<Res>, Error = Infallible> + 'static,
    Req: Default,
{
    let mut requests = Requests::new(tokens);
    Case::new(name, move || {
        let response = call(&mut service, requests.next_with());
        assert_eq!(response.status(), status);
    })
}
