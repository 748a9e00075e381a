//! A signature that is refused is so for all who wait for it, and is tried again for the next.

use super::together::{ask, begin, gateway, slow};
use super::*;
use tests::aside::Aside;
use tower_jwks::Clock;

#[test]
fn claims_that_are_too_long_are_for_all_who_wait_and_not_for_ever() {
    for algorithm in slow() {
        let aside = Aside::new();
        let layer = BackendJwtLayer::new(ring(algorithm)).clock(aside.clock(clock()));
        let policy = Policy::default().max_bytes(300);
        let layer = layer.policy(policy).unwrap();
        let gateway = gateway(&layer, clock());
        let token = signed(&json!({}));
        for _ in 0..2 {
            aside.hold();
            // All wait again: nobody is told of what became of those before.
            let asked = begin(&aside, &gateway, &token, 5);
            aside.go_on();
            for one in asked {
                let refused = aside.block_on(one).unwrap_err();
                assert_eq!(refused, (500, RefusalReason::BackendJwtTooLong));
            }
            assert_eq!(layer.cache_status().unwrap().entries, 0);
        }
    }
}

#[test]
fn a_refusal_that_is_found_at_once_leaves_nothing_behind_either() {
    let layer = BackendJwtLayer::new(ring(ALGORITHM)).clock(clock());
    let layer = layer.policy(Policy::default().max_bytes(300)).unwrap();
    let gateway = gateway(&layer, clock());
    let aside = Aside::new();
    for misses in 1..4 {
        let asked = aside.block_on(ask(&gateway, &signed(&json!({}))));
        assert_eq!(asked.unwrap_err(), (500, RefusalReason::BackendJwtTooLong));
        let status = layer.cache_status().unwrap();
        assert_eq!((status.entries, status.misses), (0, misses));
    }
}

#[test]
fn keys_that_are_gone_when_it_is_their_turn_are_503_until_they_are_back() {
    let aside = Aside::new();
    // The ring's own clock, and not the layer's: the ring loses its keys, and no time passes.
    let rings = clock();
    let keys = unattended(Algorithm::ES384, rings.clone());
    let layer = BackendJwtLayer::new(keys.clone()).clock(aside.clock(clock()));
    let gateway = gateway(&layer, clock());
    let token = signed(&json!({}));
    aside.hold();
    let asked = begin(&aside, &gateway, &token, 5);
    rings.advance(Duration::from_secs(7200));
    aside.go_on();
    let no_keys = (503, RefusalReason::KeysUnavailable);
    for one in asked {
        assert_eq!(aside.block_on(one).unwrap_err(), no_keys);
    }
    assert_eq!(layer.cache_status().unwrap().entries, 0);
    // Those who come now do not even wait.
    let mut asked = ask(&gateway, &token);
    assert!(aside.poll(asked.as_mut()).is_ready());

    aside.block_on(keys.refresh()).unwrap();
    aside.block_on(ask(&gateway, &token)).unwrap();
    assert_eq!(rings.now(), NOW.saturating_add(Duration::from_secs(7200)));
}

#[test]
fn a_token_that_ends_while_its_signature_waits_is_not_minted_from() {
    let aside = Aside::new();
    let time = clock();
    let layer = BackendJwtLayer::new(ring(Algorithm::ES384)).clock(aside.clock(time.clone()));
    let gateway = gateway(&layer, time.clone());
    aside.hold();
    let asked = begin(&aside, &gateway, &signed(&json!({})), 3);
    time.advance(Duration::from_secs(600));
    aside.go_on();
    for one in asked {
        let refused = aside.block_on(one).unwrap_err();
        assert_eq!(refused, (401, RefusalReason::Expired));
    }
}
