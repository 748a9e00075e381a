//! Requests that want the same backend JWT at once: it is signed once, and all are given it.

use super::*;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};
use tests::{aside::Aside, capture::Capture, echo::Echo, forge::Token, keys::is_rsa};
use tokio::sync::Barrier;
use tower_backend_jwt::{AccessToken, BackendJwt};
use tower_jwks::Clock;

/// Signatures of these are made aside.
pub(super) fn slow() -> impl Iterator<Item = Algorithm> {
    let can_be_made = |algorithm: &Algorithm| {
        !is_rsa(*algorithm) || cfg!(feature = "aws-lc-rs") || openssl::is_there()
    };
    [Algorithm::ES384, Algorithm::RS256]
        .into_iter()
        .filter(can_be_made)
}

pub(super) type Gateway = AccessToken<BackendJwt<Echo>>;

pub(super) type Asked = Pin<Box<dyn Future<Output = Result<String, (u16, RefusalReason)>> + Send>>;

/// Both layers, the second of which is given.
pub(super) fn gateway(layer: &BackendJwtLayer, clock: impl Clock) -> Gateway {
    let verifier = Verifier::builder()
        .issuer(forge::issuer(key(ALGORITHM)))
        .clock(clock);
    ServiceBuilder::new()
        .layer(AccessTokenLayer::new(verifier.build().unwrap()))
        .layer(layer.clone())
        .service(Echo::new())
}

/// The backend JWT that the service behind is given for this token, or why it is given none.
pub(super) fn ask(gateway: &Gateway, token: &str) -> Asked {
    let (gateway, request) = (gateway.clone(), get_with(token));
    Box::pin(async move {
        let answer = send(&gateway, request).await;
        if answer.status() == StatusCode::OK {
            let jwt = answer.json()["x-jwt-assertion"][0].clone();
            return Ok(jwt.as_str().unwrap().to_owned());
        }
        let refusal = answer.head.extensions.get::<Refusal>().unwrap();
        Err((answer.status().as_u16(), refusal.reason()))
    })
}

/// Begins so many requests, all of which have to wait.
pub(super) fn begin(aside: &Aside, gateway: &Gateway, token: &str, count: usize) -> Vec<Asked> {
    let mut asked: Vec<_> = (0..count).map(|_| ask(gateway, token)).collect();
    for one in &mut asked {
        assert!(aside.poll(one.as_mut()).is_pending());
    }
    asked
}

/// Signs with a key for this algorithm, at the time of this clock; how often that is asked for.
fn counted(aside: &Aside, algorithm: Algorithm) -> (BackendJwtLayer, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let clock = move || {
        counter.fetch_add(1, Ordering::Relaxed);
        NOW
    };
    let layer = BackendJwtLayer::new(ring(algorithm));
    (layer.clock(aside.clock(clock)), asked)
}

#[test]
fn a_signature_that_is_made_aside_is_one_for_all_who_wait_for_it() {
    const MANY: usize = 20;
    for algorithm in slow() {
        let aside = Aside::new();
        let (layer, times) = counted(&aside, algorithm);
        let gateway = gateway(&layer, clock());
        let token = signed(&json!({}));
        aside.hold();
        let asked = begin(&aside, &gateway, &token, MANY);
        let other = begin(&aside, &gateway, &signed(&json!({"sub": "bob"})), 1);
        aside.go_on();
        let jwts: Vec<_> = asked
            .into_iter()
            .map(|one| aside.block_on(one).unwrap())
            .collect();
        assert!(jwts.iter().all(|jwt| *jwt == jwts[0]));
        assert_eq!(claims_of(&jwts[0])["sub"], "alice");
        assert_eq!(header_of(&jwts[0])["alg"], algorithm.name());
        let [other] = other.try_into().ok().unwrap();
        assert_eq!(claims_of(&aside.block_on(other).unwrap())["sub"], "bob");
        // One look at the clock for each request, and one for each of the two signatures.
        assert_eq!(times.load(Ordering::Relaxed), MANY + 1 + 2);
        assert_eq!(layer.cache_status().unwrap().entries, 2);

        // The next one waits for nothing.
        let Poll::Ready(next) = aside.poll(ask(&gateway, &token).as_mut()) else {
            panic!("it is there");
        };
        assert_eq!(next.unwrap(), jwts[0]);
    }
}

#[tokio::test]
async fn requests_of_one_thread_are_given_what_is_signed_at_once() {
    let log = Capture::start();
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let gateway = gateway(
            &BackendJwtLayer::new(ring(algorithm)).clock(clock()),
            clock(),
        );
        let token = signed(&json!({}));
        let first = ask(&gateway, &token).await.unwrap();
        for _ in 0..10 {
            assert_eq!(ask(&gateway, &token).await.unwrap(), first);
        }
    }
    let log = log.text();
    assert_eq!(log.matches("backend JWT signed").count(), 2, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_of_many_threads_are_given_one_jwt() {
    const MANY: usize = 16;
    for algorithm in slow().chain([Algorithm::ES256, Algorithm::EdDSA]) {
        let (layer, times) = tokio::task::block_in_place(|| counted(&Aside::new(), algorithm));
        let gateway = gateway(&layer, clock());
        for round in 0..10 {
            let token = signed(&json!({"sub": format!("user {round}")}));
            let before = times.load(Ordering::Relaxed);
            let all_there = Arc::new(Barrier::new(MANY));
            let asked = (0..MANY).map(|_| {
                let (asked, all_there) = (ask(&gateway, &token), Arc::clone(&all_there));
                tokio::spawn(async move {
                    all_there.wait().await;
                    asked.await
                })
            });
            let mut jwts = Vec::new();
            for asked in asked.collect::<Vec<_>>() {
                jwts.push(asked.await.unwrap().unwrap());
            }
            assert!(jwts.iter().all(|jwt| *jwt == jwts[0]), "{algorithm}");
            let aside = usize::from(!matches!(algorithm, Algorithm::ES256 | Algorithm::EdDSA));
            assert_eq!(times.load(Ordering::Relaxed), before + MANY + aside);
        }
        assert_eq!(layer.cache_status().unwrap().entries, 10);
    }
}

#[test]
fn a_caller_who_hangs_up_changes_nothing_for_the_others() {
    let aside = Aside::new();
    let (layer, times) = counted(&aside, Algorithm::ES384);
    let gateway = gateway(&layer, clock());
    let token = signed(&json!({}));
    aside.hold();
    let mut asked = begin(&aside, &gateway, &token, 5);
    // The one who came first among them.
    drop(asked.remove(0));
    drop(asked.remove(2));
    aside.go_on();
    let jwts: Vec<_> = asked
        .into_iter()
        .map(|one| aside.block_on(one).unwrap())
        .collect();
    assert!(jwts.iter().all(|jwt| *jwt == jwts[0]));
    assert_eq!(times.load(Ordering::Relaxed), 5 + 1);

    // If all hang up, what was begun is for whoever comes next.
    let token = signed(&json!({"sub": "bob"}));
    aside.hold();
    drop(begin(&aside, &gateway, &token, 3));
    let mut late = begin(&aside, &gateway, &token, 1);
    aside.go_on();
    let late = aside.block_on(late.remove(0)).unwrap();
    assert_eq!(aside.block_on(ask(&gateway, &token)).unwrap(), late);
    assert_eq!(times.load(Ordering::Relaxed), 6 + 3 + 1 + 1 + 1);
}

#[test]
fn without_a_cache_each_request_has_a_signature_of_its_own() {
    let aside = Aside::new();
    let layer = BackendJwtLayer::new(ring(Algorithm::ES384)).clock(aside.clock(clock()));
    let gateway = gateway(&layer.no_cache(), clock());
    aside.hold();
    let mut asked = begin(&aside, &gateway, &signed(&json!({})), 3);
    aside.go_on();
    let mut jwts: Vec<_> = asked
        .drain(..)
        .map(|one| aside.block_on(one).unwrap())
        .collect();
    jwts.sort_unstable();
    jwts.dedup();
    assert_eq!(jwts.len(), 3);
}

#[test]
fn the_end_of_a_runtime_ends_no_signature() {
    let first = Aside::new();
    let (layer, _) = counted(&first, Algorithm::ES384);
    let gateway = gateway(&layer, clock());
    first.hold();
    let asked = begin(&first, &gateway, &signed(&json!({})), 3);
    drop(first);
    // They are served elsewhere.
    let second = Aside::new();
    let mut jwts = asked.into_iter().map(|one| second.block_on(one).unwrap());
    let first = jwts.next().unwrap();
    assert!(jwts.all(|jwt| jwt == first));
}

#[test]
fn a_signature_that_was_begun_with_a_key_that_is_revoked_is_made_with_the_next() {
    let aside = Aside::new();
    let time = clock();
    let keys = unattended(Algorithm::ES384, time.clone());
    let later = || {
        time.advance(Duration::from_secs(60));
        aside.block_on(keys.refresh()).unwrap();
    };
    // Until the one in reserve may sign.
    for _ in 0..24 * 60 {
        later();
    }
    let kid = keys.signing_key().unwrap().kid().to_owned();
    let layer = BackendJwtLayer::new(keys.clone()).clock(aside.clock(time.clone()));
    let gateway = gateway(&layer, time.clone());
    let token = Token::of(key(ALGORITHM)).claim("exp", time.now().as_secs() + 3600);
    let token = token.sign();
    aside.hold();
    let mut asked = begin(&aside, &gateway, &token, 2);
    aside.block_on(keys.revoke(&kid)).unwrap();
    let next = keys.signing_key().unwrap().kid().to_owned();
    assert_ne!(next, kid);
    asked.extend(begin(&aside, &gateway, &token, 2));
    aside.go_on();
    for one in asked {
        let jwt = aside.block_on(one).unwrap();
        assert_eq!(header_of(&jwt)["kid"], *next);
    }
}
