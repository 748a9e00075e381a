//! Policies that are exchanged while requests are served.

use super::*;
use std::{convert::Infallible, sync::Arc};
use tokio::sync::Notify;
use tower_backend_jwt::{BackendJwt, ChosenPolicy, PolicySet, PreparedPolicy};

fn set() -> PolicySet {
    PolicySet::builder(ring(ALGORITHM)).clock(clock()).build()
}

fn api(name: &str) -> Api {
    Api::new(name, "1.0.0")
}

/// Chooses by the field `api` of the request.
fn layer(policies: &PolicySet) -> BackendJwtLayer<ChosenPolicy> {
    BackendJwtLayer::from_policies(policies.clone(), |policies: &PolicySet, request: &Parts| {
        policies.get(request.headers.get("api")?.to_str().ok()?)
    })
}

async fn ask_for(
    layer: BackendJwtLayer<ChosenPolicy>,
    api: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))).optional())
        .layer(layer)
        .service(service_fn(upstream));
    let authorization = format!("Bearer {}", signed(&json!({})));
    let mut all = vec![("authorization", authorization.as_str()), ("api", api)];
    all.extend(fields);
    send(&service, get(&all)).await
}

#[tokio::test]
async fn each_request_is_told_of_after_the_policy_of_its_api() {
    let policies = set();
    let other_header = HeaderName::from_static("x-other-assertion");
    policies
        .replace([
            (
                "orders",
                Policy::default().audience("orders"),
                api("Orders"),
            ),
            (
                "stock",
                Policy::default().header(other_header),
                api("Stock"),
            ),
        ])
        .unwrap();

    let orders = ask_for(layer(&policies), "orders", &[]).await;
    let claims = claims_of(&orders.backend_jwt());
    assert_eq!(claims["aud"], "orders");
    assert_eq!(claims[format!("{P}apiname")], "Orders");

    let stock = ask_for(layer(&policies), "stock", &[]).await;
    let claims = claims_of(&stock.seen("x-other-assertion")[0]);
    assert_eq!(claims.get("aud"), None);
    assert_eq!(claims[format!("{P}apiname")], "Stock");
}

#[tokio::test]
async fn no_request_carries_the_field_of_any_policy_of_the_set_past_or_present() {
    let policies = set();
    let old = HeaderName::from_static("x-old");
    policies.set("a", Policy::default(), api("A")).unwrap();
    policies
        .set("b", Policy::default().header(old), api("B"))
        .unwrap();
    let forged = [
        ("x-jwt-assertion", "forged"),
        ("X_Old", "forged"),
        ("x-old", "forged"),
    ];

    let answer = ask_for(layer(&policies), "b", &forged).await;
    assert!(answer.seen("x-jwt-assertion").is_empty());
    assert!(answer.seen("x_old").is_empty());
    assert_eq!(answer.seen("x-old").len(), 1);

    assert!(policies.remove("b"));
    assert!(!policies.remove("b"));
    let answer = ask_for(layer(&policies), "a", &forged).await;
    assert!(answer.seen("x-old").is_empty());
    assert!(answer.seen("x_old").is_empty());
}

#[tokio::test]
async fn a_request_without_a_policy_goes_nowhere() {
    let policies = set();
    policies
        .set("orders", Policy::default(), api("Orders"))
        .unwrap();
    let answer = ask_for(layer(&policies), "stock", &[]).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let reason = answer.head.extensions.get::<Refusal>().map(Refusal::reason);
    assert_eq!(reason, Some(RefusalReason::MissingPolicy));

    // One of another set is none either, whichever field it has: it may sign with other keys.
    let others = set();
    others
        .set("orders", Policy::default(), api("Orders"))
        .unwrap();
    let foreign = BackendJwtLayer::from_policies(policies, move |_: &PolicySet, _: &Parts| {
        others.get("orders")
    });
    let answer = ask_for(foreign, "orders", &[]).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_change_is_whole_or_not_at_all() {
    let policies = set();
    policies
        .set("orders", Policy::default().audience("old"), api("Orders"))
        .unwrap();
    let new = || Policy::default().audience("new");
    let wrong = [
        (
            "ttl",
            vec![
                ("orders", new(), api("Orders")),
                ("b", new().ttl(Duration::ZERO), api("B")),
            ],
        ),
        (
            "algorithm",
            vec![
                ("orders", new(), api("Orders")),
                ("b", new().algorithm(Algorithm::RS256), api("B")),
            ],
        ),
        (
            "twice",
            vec![
                ("orders", new(), api("Orders")),
                ("orders", new(), api("B")),
            ],
        ),
    ];
    for (why, changes) in wrong {
        let error = policies.replace(changes).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        let answer = ask_for(layer(&policies), "orders", &[]).await;
        assert_eq!(claims_of(&answer.backend_jwt())["aud"], "old");
        assert!(policies.get("b").is_none());
    }
}

#[tokio::test]
async fn what_was_minted_after_an_exchanged_policy_is_not_handed_out_again() {
    let policies = set();
    let policy = |region: &str| Policy::default().custom_claim("region", region);
    policies
        .replace([("a", policy("eu"), api("A")), ("b", policy("eu"), api("B"))])
        .unwrap();
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .layer(layer(&policies))
        .service(service_fn(upstream));
    let token = format!("Bearer {}", signed(&json!({})));
    let ask = async |api: &str| {
        let request = get(&[("authorization", &token), ("api", api)]);
        send(&service, request).await.backend_jwt()
    };
    let (a, b) = (ask("a").await, ask("b").await);
    assert_ne!(a, b);
    assert_eq!((ask("a").await, ask("b").await), (a.clone(), b.clone()));

    // `a` is exchanged, `b` is as it was.
    policies
        .replace([("a", policy("us"), api("A")), ("b", policy("eu"), api("B"))])
        .unwrap();
    let changed = ask("a").await;
    assert_eq!(claims_of(&changed)["region"], "us");
    assert_eq!(ask("b").await, b);

    // Nor when the first policy comes back.
    policies.set("a", policy("eu"), api("A")).unwrap();
    let back = ask("a").await;
    assert_eq!(claims_of(&back)["region"], "eu");
    assert_ne!(back, a);
}

#[tokio::test]
async fn a_request_in_flight_finishes_under_the_policy_it_has_and_the_next_gets_the_new() {
    /// The service behind answers when it is told to.
    async fn slow(
        request: Request<()>,
        go: Arc<Notify>,
    ) -> Result<http::Response<http_body_util::Full<bytes::Bytes>>, Infallible> {
        if request.headers().contains_key("slow") {
            go.notified().await;
        }
        upstream(request).await
    }
    let policies = set();
    let policy = |region: &str| Policy::default().custom_claim("region", region);
    policies.set("a", policy("eu"), api("A")).unwrap();
    let go = Arc::new(Notify::new());
    let behind = Arc::clone(&go);
    // Whoever routes keeps the policy with the route, here from before the change.
    let routed: PreparedPolicy = policies.get("a").unwrap();
    let choose = move |policies: &PolicySet, request: &Parts| {
        let routed = request.extensions.get::<PreparedPolicy>().cloned();
        routed.or_else(|| policies.get("a"))
    };
    let service: tower_backend_jwt::AccessToken<BackendJwt<_>> = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .layer(BackendJwtLayer::from_policies(policies.clone(), choose))
        .service(service_fn(move |request| {
            slow(request, Arc::clone(&behind))
        }));

    let token = signed(&json!({}));
    let mut in_flight = get_with(&token);
    in_flight.headers_mut().insert("slow", "1".parse().unwrap());
    let first = tokio::spawn({
        let service = service.clone();
        async move { send(&service, in_flight).await }
    });
    tokio::task::yield_now().await;
    policies.set("a", policy("us"), api("A")).unwrap();
    let mut kept = get_with(&token);
    kept.extensions_mut().insert(routed);
    let second = send(&service, get_with(&token)).await;
    let third = send(&service, kept).await;
    go.notify_one();
    let region = |answer: &Answer| claims_of(&answer.backend_jwt())["region"].clone();
    assert_eq!(region(&first.await.unwrap()), "eu");
    assert_eq!(region(&second), "us");
    assert_eq!(region(&third), "eu");
}

#[tokio::test]
async fn all_policies_together_keep_no_more_than_the_set_may() {
    let policies = PolicySet::builder(ring(ALGORITHM))
        .clock(clock())
        .cache(4, 1 << 20)
        .build();
    for name in ["a", "b"] {
        policies.set(name, Policy::default(), api(name)).unwrap();
    }
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .layer(layer(&policies))
        .service(service_fn(upstream));
    let ask = async |api: &str, subject: usize| {
        let token = format!(
            "Bearer {}",
            signed(&json!({"sub": format!("user {subject}")}))
        );
        let request = get(&[("authorization", &token), ("api", api)]);
        send(&service, request).await.backend_jwt()
    };
    let all = async || {
        let mut jwts = Vec::new();
        for subject in 0..20 {
            jwts.extend([ask("a", subject).await, ask("b", subject).await]);
        }
        jwts
    };
    let (first, second) = (all().await, all().await);
    let kept = second.iter().filter(|jwt| first.contains(jwt)).count();
    assert!(kept <= 4, "{kept}");
    assert_eq!(ask("a", 19).await, ask("a", 19).await);
}

#[test]
fn a_set_shows_its_names_and_nothing_of_its_policies() {
    let policies = set();
    let policy = Policy::default().custom_claim("secret", "s3cret");
    policies.set("a", policy, api("A")).unwrap();
    assert_eq!(format!("{policies:?}"), r#"PolicySet(["a"])"#);
    assert_eq!(policies.names(), ["a"]);
    let prepared = policies.get("a").unwrap();
    assert_eq!(prepared.api(), &api("A"));
    assert!(!format!("{prepared:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_successor_keeps_what_stays_and_leaves_its_predecessor_as_it_is() {
    let old = set();
    let header = || HeaderName::from_static("x-old");
    let b = || ("b", Policy::default(), api("B"));
    old.replace([("a", Policy::default().header(header()), api("A")), b()])
        .unwrap();
    let new = old
        .successor([("a", Policy::default().audience("a"), api("A")), b()])
        .unwrap();

    // One token, read by one verifier, so that what was minted can be used again.
    let access = AccessTokenLayer::new(forge::verifier(key(ALGORITHM)));
    let token = format!("Bearer {}", signed(&json!({})));
    let ask = async |policies: &PolicySet, api: &str| {
        let service = ServiceBuilder::new()
            .layer(access.clone())
            .layer(layer(policies))
            .service(service_fn(upstream));
        let fields = [
            ("authorization", token.as_str()),
            ("api", api),
            ("x-old", "sent"),
        ];
        send(&service, get(&fields)).await
    };
    let kept = ask(&old, "b").await.backend_jwt();
    assert_eq!(ask(&new, "b").await.backend_jwt(), kept);
    assert_eq!(claims_of(&ask(&new, "a").await.backend_jwt())["aud"], "a");
    // The field is nobody's any more, but for the requests of the predecessor.
    assert_eq!(ask(&new, "a").await.seen("x-old"), ["sent"]);
    assert_ne!(ask(&old, "a").await.seen("x-old"), ["sent"]);
    assert!(ask(&old, "b").await.seen("x-old").is_empty());

    let wrong = [("a", Policy::default().ttl(Duration::ZERO), api("A"))];
    assert!(
        old.successor(wrong)
            .unwrap_err()
            .to_string()
            .starts_with("a.ttl")
    );
}

#[tokio::test]
async fn a_policy_with_another_field_is_followed_the_moment_it_is_chosen() {
    let policies = set();
    let header = |name| Policy::default().header(HeaderName::from_static(name));
    policies.set("a", header("x-old"), api("A")).unwrap();
    // The set changes between two looks at it.
    let choose = move |policies: &PolicySet, _: &Parts| {
        policies.set("a", header("x-new"), api("A")).unwrap();
        policies.get("a")
    };
    let layer = BackendJwtLayer::from_policies(policies, choose);
    let forged = [
        ("x-old", "forged"),
        ("X_New", "forged"),
        ("x-new", "forged"),
    ];
    let answer = ask_for(layer, "a", &forged).await;
    assert_eq!(answer.seen("x-new")[0].split('.').count(), 3);
    assert!(answer.seen("x_new").is_empty() && answer.seen("x-old").is_empty());
}

#[test]
fn a_set_has_no_more_than_64_fields_past_ones_counted() {
    let policies = set();
    let set = |number: usize| {
        let name = HeaderName::try_from(format!("x-{number}")).unwrap();
        policies.set("a", Policy::default().header(name), api("A"))
    };
    for number in 0..64 {
        set(number).unwrap();
    }
    assert!(set(64).unwrap_err().to_string().contains("more than 64"));
    set(7).unwrap();
}
