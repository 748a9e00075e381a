//! Proofs of concept against the library.

use http::{HeaderName, Request, StatusCode, request::Parts};
use serde_json::json;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tests::{
    forge::{self, claims_of},
    keys::{key, new_key, ring},
    time::clock,
    upstream::{get, get_with, send, signed, upstream},
};
use tower::{ServiceBuilder, service_fn};
use tower_backend_jwt::{
    AccessTokenLayer, Api, Application, ApplicationLayer, ApplicationQuery, BackendJwtLayer,
    Compatibility, Issuer, Policy, PolicySet, Verifier,
};
use tower_jwks::{Algorithm, JwkSet, KeyRing, SystemClock};

const ALGORITHM: Algorithm = Algorithm::EdDSA;

/// A policy with a new header comes between the look at the headers and the choice.
#[tokio::test]
async fn l1_a_change_between_headers_and_choice_is_500() {
    let policies = PolicySet::builder(ring(ALGORITHM)).clock(clock()).build();
    policies
        .set("a", Policy::default(), Api::new("A", "1"))
        .unwrap();
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    // The first choice coincides with a change by somebody else.
    let layer =
        BackendJwtLayer::with_policies(policies.clone(), |policies: &PolicySet, _: &Parts| {
            if ASKED.fetch_add(1, Ordering::Relaxed) == 0 {
                let header = HeaderName::from_static("x-new");
                let policy = Policy::default().header(header);
                policies.set("a", policy, Api::new("A", "1")).unwrap();
            }
            policies.get("a")
        });
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .layer(layer)
        .service(service_fn(upstream));
    let answer = send(&service, get_with(&signed(&json!({})))).await;
    println!("during the change: {}", answer.status());
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let answer = send(&service, get_with(&signed(&json!({})))).await;
    println!("after: {}", answer.status());
}

/// "the policy that was chosen is of another set": only if its header is another.
#[tokio::test]
async fn l2_a_policy_of_another_set_is_taken() {
    let ours = PolicySet::builder(ring(ALGORITHM)).clock(clock()).build();
    ours.set("a", Policy::default(), Api::new("A", "1")).unwrap();
    let other_keys = KeyRing::generate(ALGORITHM).unwrap();
    let other_kid = other_keys.signing_key().unwrap().kid().to_owned();
    let others = PolicySet::builder(other_keys).clock(clock()).build();
    others.set("a", Policy::default(), Api::new("X", "1")).unwrap();
    let layer = BackendJwtLayer::with_policies(ours, move |_: &PolicySet, _: &Parts| {
        others.get("a")
    });
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .layer(layer)
        .service(service_fn(upstream));
    let answer = send(&service, get_with(&signed(&json!({})))).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let header = tests::forge::header_of(&answer.backend_jwt());
    assert_eq!(header["kid"], other_kid.as_str());
    println!("signed by the other set's key");
}

/// A service that verifies with this crate takes the minimal assertion for an authenticated caller.
#[tokio::test]
async fn l3_a_minimal_assertion_passes_our_own_verifier_as_a_token() {
    let keys = KeyRing::generate(Algorithm::ES256).unwrap();
    let policy = Policy::wso2().minimal_assertion().audience("orders");
    let gateway = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))).optional())
        .layer(
            BackendJwtLayer::new(keys.clone())
                .clock(SystemClock)
                .policy(policy)
                .unwrap(),
        )
        .service(service_fn(upstream));
    let answer = send(&gateway, get(&[])).await;
    let jwt = answer.backend_jwt();
    println!("{}", claims_of(&jwt));
    let published = JwkSet::parse(keys.published().unwrap().json().as_bytes()).unwrap();
    let issuer = Issuer::from_jwks("wso2.org/products/am", published)
        .audience("orders")
        .build()
        .unwrap();
    let backend = Verifier::builder().issuer(issuer).build().unwrap();
    let verified = backend.verify(&jwt);
    println!(
        "verified: {:?}, subject {:?}",
        verified.is_ok(),
        verified.as_ref().ok().and_then(|token| token.subject().map(str::to_owned))
    );
    assert!(verified.is_ok());
}

/// With another dialect, WSO2's own claims are copied from the token.
#[tokio::test]
async fn l4_wso2s_claims_are_copied_from_the_token_when_the_dialect_is_another() {
    let claim = "http://wso2.org/claims/subscriber";
    let token = signed(&json!({ claim: "admin" }));
    for (dialect, copied) in [(None, false), (Some("x"), true)] {
        let mut policy = Policy::wso2();
        if let Some(dialect) = dialect {
            policy = policy.dialect(dialect);
        }
        let gateway = ServiceBuilder::new()
            .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
            .layer(
                BackendJwtLayer::new(ring(ALGORITHM))
                    .clock(clock())
                    .policy(policy)
                    .unwrap(),
            )
            .service(service_fn(upstream));
        let claims = claims_of(&send(&gateway, get_with(&token)).await.backend_jwt());
        assert_eq!(claims.get(claim).is_some(), copied);
    }
}

/// `fresh_for(Duration::MAX)`: "for ever" ends each request.
#[tokio::test]
async fn l5_for_ever_is_a_panic() {
    let layer = ApplicationLayer::new(|_: ApplicationQuery| async {
        Ok(Some(Application::new("7", "shop")))
    })
    .fresh_for(Duration::MAX);
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .layer(layer)
        .service(service_fn(upstream));
    let outcome = tokio::spawn(async move {
        send(&service, get_with(&signed(&json!({"client_id": "shop"}))))
            .await
            .status()
    })
    .await;
    println!("{outcome:?}");
    assert!(outcome.unwrap_err().is_panic());
}

/// "libraries that keep to it refuse it, ours with them": not when neither + nor / happens to be there.
#[tokio::test]
async fn l6_the_standard_alphabet_is_taken_now_and_then() {
    let keys = KeyRing::generate(Algorithm::ES256).unwrap();
    let published = JwkSet::parse(keys.published().unwrap().json().as_bytes()).unwrap();
    let issuer = Issuer::from_jwks("wso2.org/products/am", published)
        .audience("orders")
        .build()
        .unwrap();
    let backend = Verifier::builder().issuer(issuer).build().unwrap();
    let policy = Policy::default()
        .audience("orders")
        .minimal_assertion()
        .compatibility(Compatibility::StandardAlphabet);
    let gateway = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))).optional())
        .layer(BackendJwtLayer::new(keys).no_cache().policy(policy).unwrap())
        .service(service_fn(upstream));
    let mut taken = 0;
    for _ in 0..1000 {
        let jwt = send(&gateway, get(&[])).await.backend_jwt();
        taken += usize::from(backend.verify(&jwt).is_ok());
    }
    println!("{taken} of 1000 verify");
}

/// A subscription is asked of who has a token, not of who has none.
#[tokio::test]
async fn l7_without_a_token_no_subscription_is_needed() {
    let layer = ApplicationLayer::new(|_: ApplicationQuery| async { Ok(None) })
        .require_subscription();
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))).optional())
        .layer(layer)
        .service(service_fn(upstream));
    let with: Request<()> = get_with(&signed(&json!({})));
    assert_eq!(send(&service, with).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(send(&service, get(&[])).await.status(), StatusCode::OK);
    let _ = new_key;
}
