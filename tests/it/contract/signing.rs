//! A request that waits for its signature holds nothing that others could use, and reserves it when it goes on.

use super::{good, ring};
use http::{Request, Response};
use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};
use tests::{aside::Aside, body::UnsyncBody, echo::Echo, probe::ReadyProbe, time::clock};
use tower::{
    Layer, Service,
    limit::{ConcurrencyLimit, GlobalConcurrencyLimitLayer},
};
use tower_backend_jwt::{BackendJwt, BackendJwtLayer};
use tower_jwks::Algorithm;

/// One request at a time, each with a place that was reserved for it.
type Narrow = ConcurrencyLimit<ReadyProbe<Echo>>;

/// Signs aside.
fn gateway(aside: &Aside, behind: Echo) -> BackendJwt<Narrow> {
    let layer = BackendJwtLayer::new(ring(Algorithm::ES384)).clock(aside.clock(clock()));
    layer.layer(ConcurrencyLimit::new(ReadyProbe::new(behind), 1))
}

fn is_ready<S: Service<Request<UnsyncBody>>>(service: &mut S) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    service.poll_ready(&mut cx).is_ready()
}

type Asked = Pin<Box<<BackendJwt<Narrow> as Service<Request<UnsyncBody>>>::Future>>;

/// Calls a service that is ready, whose request has to wait then.
fn call(aside: &Aside, service: &mut BackendJwt<Narrow>) -> Asked {
    assert!(is_ready(service));
    let mut asked = aside.within(|| Box::pin(service.call(good(UnsyncBody::new("a body")))));
    assert!(aside.poll(asked.as_mut()).is_pending());
    asked
}

fn status<B>(poll: Poll<Result<Response<B>, std::convert::Infallible>>) -> u16 {
    match poll {
        Poll::Ready(Ok(response)) => response.status().as_u16(),
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn a_request_that_waits_for_its_signature_holds_no_place_behind() {
    let echo = Echo::new();
    let aside = Aside::new();
    let mut service = gateway(&aside, echo.clone());
    aside.hold();
    // More of them than there are places.
    let asked: Vec<Asked> = (0..3).map(|_| call(&aside, &mut service)).collect();
    let mut clone = service.clone();
    assert!(is_ready(&mut clone), "the place is free");
    drop(clone);
    assert!(is_ready(&mut service), "for this one too");
    drop(service);
    assert_eq!(echo.count(), 0);
    aside.go_on();
    for asked in asked {
        let Ok(response) = aside.block_on(asked);
        assert_eq!(response.status(), 200);
    }
    assert_eq!(echo.count(), 3);
}

#[test]
fn a_request_whose_signature_is_there_waits_for_a_place_behind() {
    let echo = Echo::new();
    let aside = Aside::new();
    let mut service = gateway(&aside, echo.clone());
    aside.hold();
    let mut asked = call(&aside, &mut service);
    let mut busy = service.clone();
    assert!(is_ready(&mut busy));
    aside.go_on();
    assert!(aside.poll(asked.as_mut()).is_pending());
    assert_eq!(echo.count(), 0);
    drop(busy);
    let Ok(response) = aside.block_on(asked);
    assert_eq!(response.status(), 200);
    assert_eq!(echo.count(), 1);
}

#[test]
fn a_service_goes_on_serving_while_a_request_of_its_waits() {
    let echo = Echo::new();
    let aside = Aside::new();
    let mut service = gateway(&aside, echo.clone());
    // One whose JWT is there.
    assert!(is_ready(&mut service));
    let first = aside.block_on(async { service.call(good(UnsyncBody::new(""))).await });
    assert_eq!(status(Poll::Ready(first)), 200);
    let there = || {
        let mut request = good(UnsyncBody::new(""));
        let other = echo.last().extensions.get().cloned();
        request
            .extensions_mut()
            .insert::<tower_backend_jwt::VerifiedToken>(other.unwrap());
        request
    };
    let there = [there(), there()];
    // `good` is verified by a verifier of its own each time, and so has a JWT of its own.
    aside.hold();
    let waiting = call(&aside, &mut service);
    for request in there {
        assert!(is_ready(&mut service));
        let mut asked = aside.within(|| Box::pin(service.call(request)));
        assert_eq!(status(aside.poll(asked.as_mut())), 200);
    }
    assert_eq!(echo.count(), 3);
    aside.go_on();
    let Ok(response) = aside.block_on(waiting);
    assert_eq!(response.status(), 200);
}

#[test]
fn requests_that_wait_for_signatures_go_on_behind_a_limit_around_the_layer() {
    let echo = Echo::new();
    let aside = Aside::new();
    let service = GlobalConcurrencyLimitLayer::new(1).layer(gateway(&aside, echo.clone()));
    aside.block_on(async {
        for _ in 0..4 {
            let request = good(UnsyncBody::new(""));
            let Ok(response) = tower::ServiceExt::oneshot(service.clone(), request).await;
            assert_eq!(response.status(), 200);
        }
    });
    assert_eq!(echo.count(), 4);
}
