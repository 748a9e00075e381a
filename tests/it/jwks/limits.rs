//! When the keys are not handed out.

use super::{WELL_KNOWN, WSO2, ask, get};
use http::{Method, StatusCode};
use std::{sync::Arc, time::Duration};
use tests::{
    echo::Echo,
    keys::ring,
    time::{NOW, clock},
};
use tower::Layer;
use tower_jwks::{Algorithm, JwksEndpoint, JwksLayer, KeysUnavailable, PublishKeys, PublishedKeys};

/// Has no keys, for a reason that is none of the caller's business.
struct NoKeys(Option<Duration>);

impl PublishKeys for NoKeys {
    fn published(&self) -> Result<Arc<PublishedKeys>, KeysUnavailable> {
        let unavailable = KeysUnavailable::new("the store at 10.0.0.7 is down");
        Err(match self.0 {
            Some(after) => unavailable.with_retry_after(after),
            None => unavailable,
        })
    }
}

#[tokio::test]
async fn keys_that_are_not_to_be_had_are_a_503_and_never_an_empty_set() {
    for (after, retry_after) in [
        (None, ""),
        (Some(Duration::from_secs(30)), "30"),
        (Some(Duration::from_millis(20)), "1"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            for fields in [&[][..], &[("if-none-match", "*")]] {
                let layer = JwksLayer::new(NoKeys(after)).layer(Echo::new());
                let endpoint = JwksEndpoint::new(NoKeys(after));
                for answer in [
                    ask(layer, method.clone(), WSO2, fields).await,
                    ask(endpoint, method.clone(), "/", fields).await,
                ] {
                    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
                    assert_eq!(answer.field("retry-after"), retry_after);
                    assert_eq!(answer.field("cache-control"), "no-store");
                    assert_eq!(answer.field("etag"), "");
                    assert_eq!(answer.field("access-control-allow-origin"), "*");
                    assert_eq!(answer.body, "", "the reason is the operator's");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_preflight_and_a_wrong_method_need_no_keys() {
    for (method, status) in [
        (Method::OPTIONS, StatusCode::NO_CONTENT),
        (Method::POST, StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let answer = ask(JwksEndpoint::new(NoKeys(None)), method, "/", &[]).await;
        assert_eq!(answer.status, status);
    }
}

/// WSO2's acceptance test: a quota of 5 in 300 seconds, and ten requests.
#[tokio::test]
async fn jwks_ratelimit() {
    let clock = clock();
    let layer = JwksLayer::new(ring(Algorithm::ES256))
        .rate_limit(5, Duration::from_secs(300))
        .unwrap()
        .clock(clock.clone());
    let statuses = async |requests| {
        let mut statuses = Vec::new();
        for number in 0..requests {
            // Both paths, and all services of the layer, have one quota.
            let path = if number % 2 == 0 { WSO2 } else { WELL_KNOWN };
            let answer = get(layer.layer(Echo::new()), path, &[]).await;
            statuses.push(answer.status.as_u16());
        }
        statuses
    };
    let ten = [200, 200, 200, 200, 200, 429, 429, 429, 429, 429];
    assert_eq!(statuses(10).await, ten);
    clock.advance(Duration::from_secs(299));
    assert_eq!(statuses(1).await, [429]);
    clock.advance(Duration::from_secs(1));
    assert_eq!(statuses(10).await, ten);
}

#[tokio::test]
async fn a_request_too_many_is_told_when_to_come_again() {
    let clock = clock();
    let service = JwksLayer::new(ring(Algorithm::ES256))
        .rate_limit(1, Duration::from_secs(300))
        .unwrap()
        .clock(clock.clone())
        .layer(Echo::new());
    clock.advance(Duration::from_secs(400));
    assert_eq!(get(service.clone(), WSO2, &[]).await.status, StatusCode::OK);
    for (later, retry_after) in [(0, "300"), (100, "200"), (199, "1")] {
        clock.advance(Duration::from_secs(later));
        let fields = [("if-none-match", "*")];
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(service.clone(), method, WSO2, &fields).await;
            assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(answer.field("retry-after"), retry_after);
            assert_eq!(answer.field("cache-control"), "no-store");
            assert_eq!(answer.body, "");
        }
    }
}

#[tokio::test]
async fn only_what_hands_out_the_keys_counts_against_the_quota() {
    let layer = JwksLayer::new(ring(Algorithm::ES256))
        .rate_limit(1, Duration::from_secs(300))
        .unwrap()
        .clock(clock());
    let service = layer
        .with_issuer_metadata("https://gateway.example.com")
        .unwrap()
        .layer(Echo::new());
    for _ in 0..5 {
        let metadata = get(service.clone(), "/.well-known/openid-configuration", &[]).await;
        assert_eq!(metadata.status, StatusCode::OK);
        let options = ask(service.clone(), Method::OPTIONS, WSO2, &[]).await;
        assert_eq!(options.status, StatusCode::NO_CONTENT);
        let post = ask(service.clone(), Method::POST, WSO2, &[]).await;
        assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
        let other = get(service.clone(), "/orders", &[]).await;
        assert_eq!(other.status, StatusCode::OK);
    }
    assert_eq!(get(service.clone(), WSO2, &[]).await.status, StatusCode::OK);
    assert_eq!(
        get(service.clone(), WSO2, &[]).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(get(service, "/orders", &[]).await.status, StatusCode::OK);
}

#[test]
fn a_limit_that_lets_nobody_or_everybody_through_is_refused() {
    for (quota, window) in [(0, Duration::from_secs(1)), (1, Duration::from_millis(999))] {
        let refused = JwksLayer::new(ring(Algorithm::ES256)).rate_limit(quota, window);
        assert_eq!(refused.unwrap_err().field(), "rate limit");
    }
}

#[tokio::test]
async fn a_clock_that_goes_backwards_locks_nobody_out() {
    let clock = clock();
    let service = JwksLayer::new(ring(Algorithm::ES256))
        .rate_limit(1, Duration::from_secs(300))
        .unwrap()
        .clock(clock.clone())
        .layer(Echo::new());
    assert_eq!(get(service.clone(), WSO2, &[]).await.status, StatusCode::OK);
    assert_eq!(
        get(service.clone(), WSO2, &[]).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    clock.set(NOW.saturating_sub(Duration::from_secs(1_000_000)));
    assert_eq!(get(service.clone(), WSO2, &[]).await.status, StatusCode::OK);
    assert_eq!(
        get(service, WSO2, &[]).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
}
