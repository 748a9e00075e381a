//! For how long a backend JWT that is handed out is valid at least.

use super::together::{ask, gateway};
use super::*;
use tests::aside::Aside;
use tower_backend_jwt::PolicySet;

const TTL: u64 = 300;

fn policy(remaining: impl Into<Option<u64>>) -> Policy {
    let policy = Policy::default().ttl(Duration::from_secs(TTL));
    match remaining.into() {
        Some(seconds) => policy.remaining_life(Duration::from_secs(seconds)),
        None => policy,
    }
}

#[test]
fn one_is_handed_out_while_as_much_of_its_life_is_left_as_is_asked_for() {
    for (remaining, used) in [(None, 150), (Some(60), 240), (Some(299), 1), (Some(0), 300)] {
        let time = clock();
        // Nothing is made in the background meanwhile.
        let aside = Aside::new();
        aside.hold();
        let layer = BackendJwtLayer::new(ring(ALGORITHM)).clock(aside.clock(time.clone()));
        let layer = layer.policy(policy(remaining)).unwrap();
        let gateway = gateway(&layer, time.clone());
        let token = signed(&json!({}));
        let ask = || aside.block_on(ask(&gateway, &token)).unwrap();
        let first = ask();
        time.set(NOW.saturating_add(Duration::from_secs(used - 1)));
        assert_eq!(ask(), first, "{remaining:?}");
        time.set(NOW.saturating_add(Duration::from_secs(used)));
        assert_eq!(claims_of(&ask())["iat"], NOW.as_secs() + used);
    }
}

#[test]
fn with_all_of_its_life_to_be_left_each_request_is_given_one_of_its_own() {
    let layer = BackendJwtLayer::new(ring(ALGORITHM)).clock(clock());
    let gateway = gateway(&layer.policy(policy(TTL)).unwrap(), clock());
    let aside = Aside::new();
    let ask = || aside.block_on(ask(&gateway, &signed(&json!({})))).unwrap();
    assert_ne!(ask(), ask());
}

#[test]
fn more_than_all_of_its_life_cannot_be_asked_for() {
    let layer = || BackendJwtLayer::new(ring(ALGORITHM));
    let error = layer().policy(policy(TTL + 1)).unwrap_err();
    assert_eq!(error.field(), "remaining_life");
    assert!(error.to_string().contains("301") && error.to_string().contains("300"));
    assert!(layer().policy(policy(TTL)).is_ok());

    // Where nobody says how long it lives it is an hour.
    let remaining = |seconds| Policy::default().remaining_life(Duration::from_secs(seconds));
    assert!(layer().policy(remaining(3600)).is_ok());
    let error = layer().policy(remaining(3601)).unwrap_err();
    assert_eq!(error.field(), "remaining_life");

    let policies = PolicySet::new(ring(ALGORITHM));
    let api = Api::new("Orders", "1.0.0");
    let error = policies.set("orders", policy(TTL + 1), api).unwrap_err();
    assert!(error.to_string().contains("remaining_life"), "{error}");
    assert!(policies.get("orders").is_none());
}
