//! The same through the layer.

use super::*;
use http::{Request, StatusCode};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tests::upstream::{Answer, get_with, send, upstream};
use tower::{Layer, Service, ServiceExt, limit::ConcurrencyLimitLayer, service_fn};
use tower_backend_jwt::AccessTokenLayer;

#[tokio::test(start_paused = true)]
async fn a_request_is_answered_503_until_there_are_keys() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.behave(Behavior::Slow(SECOND));
    let keys = provider.at(&clock).build().unwrap();
    let layer = AccessTokenLayer::new(verifier(&keys, &clock));
    let service = layer.layer(service_fn(upstream));
    let answer: Answer = send(&service, get_with(&token(first()))).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.field("retry-after"), Some("1"));
    keys.ready().await;
    assert_eq!(
        send(&service, get_with(&token(first()))).await.status(),
        StatusCode::OK
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_a_new_key_and_is_then_let_through_as_any_other() {
    let (provider, _, verifier, clock) = start().await;
    let service = AccessTokenLayer::new(verifier).layer(service_fn(upstream));
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    provider.behave(Behavior::Slow(SECOND));
    let answer = send(&service, get_with(&token(&second))).await;
    assert_eq!(clock.elapsed(), SECOND);
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(
        answer.seen("authorization").is_empty(),
        "the token stays here"
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waited_in_vain_is_refused_as_any_other() {
    let (provider, _, verifier, clock) = start().await;
    let service = AccessTokenLayer::new(verifier).layer(service_fn(upstream));
    provider.behave(Behavior::Hangs);
    let answer = send(&service, get_with(&token(&new_key(Algorithm::ES256)))).await;
    assert_eq!(clock.elapsed(), 3 * SECOND);
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let challenge = answer.field("www-authenticate").unwrap();
    assert!(challenge.contains("invalid_token"), "{challenge}");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_waits_holds_no_place_in_the_service_behind() {
    let (provider, _, verifier, clock) = start().await;
    let limited = ConcurrencyLimitLayer::new(1).layer(service_fn(upstream));
    let service = AccessTokenLayer::new(verifier).layer(limited);
    provider.behave(Behavior::Hangs);
    let waiting = tokio::spawn({
        let service = service.clone();
        async move { send(&service, get_with(&token(&new_key(Algorithm::ES256)))).await }
    });
    sleep(SECOND).await;
    assert_eq!(
        send(&service, get_with(&token(first()))).await.status(),
        StatusCode::OK
    );
    assert_eq!(clock.elapsed(), SECOND, "it did not wait");
    assert_eq!(waiting.await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_kept_gives_back_what_it_had_reserved_for_a_request_that_waits() {
    let (provider, _, verifier, clock) = start().await;
    let second = new_key(Algorithm::ES256);
    provider.publish([first().jwk().clone(), second.jwk().clone()]);
    provider.behave(Behavior::Slow(SECOND));
    let limited = ConcurrencyLimitLayer::new(1).layer(service_fn(upstream));
    let mut service = AccessTokenLayer::new(verifier).layer(limited);
    let waiting = service
        .ready()
        .await
        .unwrap()
        .call(get_with(&token(&second)));
    // While that waits, the same service takes the next.
    let known = service
        .ready()
        .await
        .unwrap()
        .call(get_with(&token(first())));
    assert_eq!(known.await.unwrap().status(), StatusCode::OK);
    assert_eq!(clock.elapsed(), Duration::ZERO);
    assert_eq!(waiting.await.unwrap().status(), StatusCode::OK);
    assert_eq!(clock.elapsed(), SECOND);
}

/// Panics when it is called without having been ready.
#[derive(Clone, Default)]
struct Strict {
    ready: bool,
    polls: u32,
}

impl Service<Request<()>> for Strict {
    type Response = http::Response<String>;
    type Error = String;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, String>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        self.polls += 1;
        match self.polls {
            1 => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => {
                self.ready = true;
                Poll::Ready(Ok(()))
            }
        }
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.ready),
            "called without being ready"
        );
        Box::pin(async { Ok(http::Response::new(String::new())) })
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_that_is_called_after_a_wait_is_ready() {
    let (provider, _, verifier, _) = start().await;
    let layer = AccessTokenLayer::new(verifier);
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    provider.behave(Behavior::Slow(SECOND));
    let service = layer.layer(Strict::default());
    let response = service.oneshot(get_with(&token(&second))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_service_behind_stays_its_own_after_a_wait() {
    let (provider, _, verifier, _) = start().await;
    let layer = AccessTokenLayer::new(verifier);
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    provider.behave(Behavior::Slow(SECOND));
    let failing = service_fn(async |_: Request<()>| Err::<http::Response<String>, _>("down"));
    let error = layer
        .layer(failing)
        .oneshot(get_with(&token(&second)))
        .await
        .unwrap_err();
    assert_eq!(error, "down");
}
