//! The service that was polled ready is the one that is called.

use super::{
    access_token, all, answered, application, backend_jwt, chosen, good, jwks, strip, user_claims,
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::{Pending, Ready, pending},
    pin::pin,
    task::{Context, Poll, Waker},
};
use tests::{body::UnsyncBody, echo::Echo, probe::ReadyProbe};
use tower::{
    BoxError, Layer, Service, ServiceExt,
    buffer::Buffer,
    limit::{ConcurrencyLimit, GlobalConcurrencyLimitLayer},
    service_fn,
};

/// How often a service is called in a row.
const CALLS: usize = 4;

fn body() -> UnsyncBody {
    UnsyncBody::new("a body")
}

/// The head of the next response of a service that must be ready first.
async fn call<S, R, E>(service: &mut S, request: Request<UnsyncBody>) -> StatusCode
where
    S: Service<Request<UnsyncBody>, Response = Response<R>, Error = E>,
    E: Into<BoxError>,
{
    let response = service.ready().await.map_err(Into::into).unwrap();
    let response = response.call(request).await.map_err(Into::into);
    response.unwrap().status()
}

fn poll_ready<S: Service<Request<UnsyncBody>>>(service: &mut S) -> Poll<Result<(), S::Error>> {
    service.poll_ready(&mut Context::from_waker(Waker::noop()))
}

async fn calls_what_is_ready<L, R>(layer: L)
where
    L: Layer<
            ReadyProbe<Echo>,
            Service: Service<Request<UnsyncBody>, Response = Response<R>, Error = Infallible>
                         + Clone,
        >,
{
    let mut service = layer.layer(ReadyProbe::new(Echo::new()));
    for _ in 0..CALLS {
        assert_eq!(call(&mut service, good(body())).await, 200);
        call(&mut service, answered(body())).await;
    }
    // A clone is not ready because the original is, and takes nothing from it.
    assert!(poll_ready(&mut service).is_ready());
    let mut clone = service.clone();
    assert_eq!(call(&mut clone, good(body())).await, 200);
    let Ok(response) = service.call(good(body())).await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn every_layer_calls_the_service_that_was_polled_ready() {
    calls_what_is_ready(jwks()).await;
    calls_what_is_ready(access_token()).await;
    calls_what_is_ready(backend_jwt()).await;
    calls_what_is_ready(chosen()).await;
    calls_what_is_ready(application()).await;
    calls_what_is_ready(user_claims()).await;
    calls_what_is_ready(strip()).await;
    calls_what_is_ready(all()).await;
}

#[tokio::test]
#[should_panic(expected = "called without being polled ready")]
async fn the_probe_catches_a_layer_that_calls_a_clone() {
    #[derive(Clone)]
    struct CallsAClone<S>(S);

    impl<S: Service<Request<UnsyncBody>> + Clone> Service<Request<UnsyncBody>> for CallsAClone<S> {
        type Response = S::Response;
        type Error = S::Error;
        type Future = S::Future;

        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
            self.0.poll_ready(cx)
        }

        fn call(&mut self, request: Request<UnsyncBody>) -> S::Future {
            self.0.clone().call(request)
        }
    }

    calls_what_is_ready(tower::layer::layer_fn(CallsAClone)).await;
}

type Never = ConcurrencyLimit<tower::util::ServiceFn<fn(Request<UnsyncBody>) -> Pending<Answer>>>;
type Answer = Result<Response<UnsyncBody>, Infallible>;

/// Takes one request at a time, and has all the time in the world for it.
fn never() -> Never {
    let never: fn(_) -> _ = |_| pending();
    ConcurrencyLimit::new(service_fn(never), 1)
}

async fn waits_for_what_is_busy<L>(layer: L)
where
    L: Layer<Never, Service: Service<Request<UnsyncBody>, Error = Infallible> + Clone>,
{
    let mut busy = layer.layer(never());
    let mut waiting = busy.clone();
    assert!(poll_ready(&mut busy).is_ready());
    {
        let mut response = pin!(busy.call(good(body())));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(response.as_mut().poll(&mut cx).is_pending());
        assert!(poll_ready(&mut waiting).is_pending());
    }
    assert!(poll_ready(&mut waiting).is_ready());
}

#[tokio::test]
async fn no_layer_is_ready_when_the_service_behind_is_not() {
    waits_for_what_is_busy(jwks()).await;
    waits_for_what_is_busy(access_token()).await;
    waits_for_what_is_busy(backend_jwt()).await;
    waits_for_what_is_busy(chosen()).await;
    waits_for_what_is_busy(application()).await;
    waits_for_what_is_busy(user_claims()).await;
    waits_for_what_is_busy(strip()).await;
    waits_for_what_is_busy(all()).await;
}

async fn gives_back_what_it_does_not_use<L, R>(layer: L)
where
    L: Layer<
            Never,
            Service: Service<Request<UnsyncBody>, Response = Response<R>, Error = Infallible>
                         + Clone,
        >,
{
    let service = layer.layer(never());
    for _ in 0..CALLS {
        // Each of them reserved the one place behind, and none went there.
        let Ok(_) = service.clone().oneshot(answered(body())).await;
    }
    assert!(poll_ready(&mut service.clone()).is_ready());
}

#[tokio::test]
async fn an_answer_of_a_layers_own_keeps_no_place_behind_it() {
    gives_back_what_it_does_not_use(jwks()).await;
    gives_back_what_it_does_not_use(access_token()).await;
    gives_back_what_it_does_not_use(all()).await;
}

async fn works_behind_a_limit<L, R>(layer: L)
where
    L: Layer<
            ReadyProbe<Echo>,
            Service: Service<Request<UnsyncBody>, Response = Response<R>, Error = Infallible>
                         + Clone,
        >,
{
    let service = layer.layer(ReadyProbe::new(Echo::new()));
    let mut service = GlobalConcurrencyLimitLayer::new(1).layer(service);
    for _ in 0..CALLS {
        call(&mut service, answered(body())).await;
        assert_eq!(call(&mut service, good(body())).await, 200);
        assert_eq!(call(&mut service.clone(), good(body())).await, 200);
    }
}

#[tokio::test]
async fn every_layer_works_behind_a_limit_on_concurrency() {
    works_behind_a_limit(jwks()).await;
    works_behind_a_limit(access_token()).await;
    works_behind_a_limit(backend_jwt()).await;
    works_behind_a_limit(chosen()).await;
    works_behind_a_limit(application()).await;
    works_behind_a_limit(user_claims()).await;
    works_behind_a_limit(strip()).await;
    works_behind_a_limit(all()).await;
}

type BufferedEcho = Buffer<Request<UnsyncBody>, Ready<Result<Response<Full<Bytes>>, Infallible>>>;

async fn works_around_a_buffer<L, R>(layer: L)
where
    L: Layer<
            BufferedEcho,
            Service: Service<Request<UnsyncBody>, Response = Response<R>, Error = BoxError> + Clone,
        >,
{
    let echo = Echo::new();
    let service = layer.layer(Buffer::new(ReadyProbe::new(echo.clone()), 1));
    let mut clones = vec![service; CALLS];
    for clone in &mut clones {
        assert_eq!(call(clone, good(body())).await, 200);
        assert_eq!(call(clone, good(body())).await, 200);
    }
    assert_eq!(echo.count(), 2 * CALLS);
}

#[tokio::test]
async fn every_layer_works_around_a_buffer() {
    works_around_a_buffer(jwks()).await;
    works_around_a_buffer(access_token()).await;
    works_around_a_buffer(backend_jwt()).await;
    works_around_a_buffer(chosen()).await;
    works_around_a_buffer(application()).await;
    works_around_a_buffer(user_claims()).await;
    works_around_a_buffer(strip()).await;
    works_around_a_buffer(all()).await;
}

async fn works_in_a_buffer<L, R>(layer: L)
where
    L: Layer<
            ReadyProbe<Echo>,
            Service: Service<
                Request<UnsyncBody>,
                Response = Response<R>,
                Error = Infallible,
                Future: Send,
            > + Send
                         + 'static,
        >,
{
    let echo = Echo::new();
    let service = Buffer::new(layer.layer(ReadyProbe::new(echo.clone())), 1);
    let mut clones = vec![service; CALLS];
    for clone in &mut clones {
        call(clone, answered(body())).await;
        assert_eq!(call(clone, good(body())).await, 200);
    }
    assert!(echo.count() >= CALLS);
}

#[tokio::test]
async fn every_layer_works_in_a_buffer() {
    works_in_a_buffer(jwks()).await;
    works_in_a_buffer(access_token()).await;
    works_in_a_buffer(backend_jwt()).await;
    works_in_a_buffer(chosen()).await;
    works_in_a_buffer(application()).await;
    works_in_a_buffer(user_claims()).await;
    works_in_a_buffer(strip()).await;
    works_in_a_buffer(all()).await;
}
