use super::*;
use crate::rotation::{policy::MOST_KEYS, state::KeyState};
use std::time::Duration;

const PENDING: KeyState = KeyState::Pending;
const ACTIVE: KeyState = KeyState::Active;
const RETIRING: KeyState = KeyState::Retiring;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn at(secs: u64) -> UnixTime {
    UnixTime::from_secs(secs)
}

/// Announced for 10 + 5 + 15 + 2 * 1 = 32 s, kept for 10 + 20 + 3 * 1 = 33 s.
fn policy() -> RotationPolicy {
    let policy = RotationPolicy::builder()
        .interval(secs(100))
        .poll(secs(1))
        .propagation(secs(10))
        .max_age(secs(5))
        .grace(secs(15))
        .clock_skew(secs(1))
        .token_life(secs(20))
        .emergency_max_age(secs(2));
    policy.build().unwrap()
}

fn key(kid: &str, now: u64) -> Entry {
    Entry::new(kid.into(), None, at(now))
}

/// A ring whose first key signs from 1000 on, with one in reserve that was seen at 1001.
fn ring() -> State {
    let mut state = State::first(policy().promise(), key("a", 1000), at(1000));
    state.add(key("b", 1000), at(1000));
    assert!(state.advance(at(1001), &policy()));
    state
}

#[track_caller]
fn check(state: &State, now: u64, keys: &[(&str, KeyState)]) {
    let found = state.keys.iter().enumerate();
    let found: Vec<_> = found
        .map(|(place, key)| (&*key.kid, state.key_state(place, at(now))))
        .collect();
    assert_eq!(found, keys);
}

fn signer(state: &State, now: u64) -> Option<&str> {
    state.signer(at(now)).map(|place| &*state.keys[place].kid)
}

#[test]
fn a_key_is_pending_then_active_then_retiring_then_gone() {
    let (mut state, policy) = (ring(), policy());
    check(&state, 1001, &[("a", ACTIVE), ("b", PENDING)]);
    assert!(!state.advance(at(1099), &policy));
    assert_eq!(state.next_date(at(1099), &policy), Some(at(1100)));

    assert!(state.advance(at(1100), &policy));
    assert!(state.lacks_reserve());
    state.add(key("c", 1100), at(1100));
    check(
        &state,
        1100,
        &[("a", RETIRING), ("b", ACTIVE), ("c", PENDING)],
    );
    assert_eq!(state.published().count(), 3);

    // It is dated by one that has read it, which is later.
    assert!(state.advance(at(1104), &policy));
    assert_eq!(state.next_date(at(1104), &policy), Some(at(1137)));
    assert!(!state.advance(at(1136), &policy));
    assert!(state.advance(at(1137), &policy));
    check(&state, 1137, &[("b", ACTIVE), ("c", PENDING)]);
    assert!(!state.lacks_reserve());
}

#[test]
fn what_is_not_announced_for_long_enough_waits_though_it_is_asked_for() {
    let (mut state, policy) = (ring(), policy());
    assert!(state.rotate(at(1010), Cause::Due));
    assert_eq!(
        state.scheduled(at(1010)).map(|key| key.activates_at),
        Some(Some(at(1033)))
    );
    assert!(!state.rotate(at(1011), Cause::Due), "one is decided on");
    assert_eq!(state.rotation_due(at(1011), &policy), None);
    assert_eq!(
        (signer(&state, 1032), signer(&state, 1033)),
        (Some("a"), Some("b"))
    );
}

#[test]
fn a_key_that_is_only_going_to_be_written_is_announced_from_when_it_was_read() {
    let mut state = ring();
    state.add(key("c", 1010), at(1010));
    assert_eq!(state.keys[2].published_at, None);
    assert!(state.advance(at(1015), &policy()));
    assert_eq!(state.keys[2].published_at, Some(at(1015)));
    assert!(!state.advance(at(1016), &policy()), "it is dated once");
}

#[test]
fn keys_sign_in_the_order_in_which_they_were_added() {
    let (mut state, policy) = (ring(), policy());
    state.add(key("c", 1010), at(1010));
    state.add(key("d", 1010), at(1010));
    for (now, kid) in [(1100, "b"), (1200, "c"), (1300, "d")] {
        assert!(state.advance(at(now), &policy));
        assert_eq!(signer(&state, now), Some(kid));
    }
}

#[test]
fn a_reserve_that_is_announced_takes_over_from_a_revoked_key_at_once() {
    let mut state = ring();
    assert!(state.revoke("a", at(1050)));
    assert_eq!(signer(&state, 1050), None);
    assert!(state.advance(at(1050), &policy()));
    assert_eq!(signer(&state, 1050), Some("b"));
    assert!(state.was_revoked("a") && state.lacks_reserve());
    assert!(!state.revoke("a", at(1051)), "it is gone");
}

#[test]
fn a_reserve_that_is_not_announced_lets_the_ring_wait_and_no_verifier_break() {
    let mut state = ring();
    state.revoke("a", at(1010));
    assert!(state.advance(at(1010), &policy()));
    assert_eq!(
        (signer(&state, 1032), signer(&state, 1033)),
        (None, Some("b"))
    );

    // Nor does a key that is made for it sign before verifiers can have it.
    state.revoke("b", at(1011));
    assert!(
        !state.advance(at(1011), &policy()),
        "there is nothing to be done"
    );
    assert!(state.lacks_reserve());
    state.add(key("c", 1011), at(1011));
    assert!(state.advance(at(1012), &policy()));
    assert_eq!(
        (signer(&state, 1043), signer(&state, 1044)),
        (None, Some("c"))
    );
}

#[test]
fn of_several_the_one_that_was_published_first_takes_over() {
    let mut state = ring();
    state.add(key("c", 1010), at(1010));
    state.keys[1].published_at = None;
    state.keys[2].published_at = Some(at(1011));
    state.revoke("a", at(1060));
    assert!(state.advance(at(1060), &policy()));
    assert_eq!(signer(&state, 1060), Some("c"));
}

#[test]
fn a_retired_key_does_not_sign_again_when_its_successor_is_revoked() {
    let (mut state, policy) = (ring(), policy());
    state.advance(at(1100), &policy);
    state.add(key("c", 1100), at(1100));

    // Nobody has read yet that b signs: a is not given up.
    let mut unread = state.clone();
    unread.revoke("b", at(1101));
    assert_eq!(signer(&unread, 1101), Some("a"));

    assert!(state.advance(at(1101), &policy));
    state.revoke("b", at(1102));
    assert!(state.advance(at(1102), &policy));
    assert_eq!(signer(&state, 1102), None);
    check(&state, 1102, &[("a", RETIRING), ("c", PENDING)]);
    assert_eq!(signer(&state, 1133), Some("c"));
}

#[test]
fn an_end_brings_the_next_key_forward_and_nothing_signs_past_it() {
    let (mut state, policy) = (ring(), policy());
    state.keys[0].not_after = Some(at(1090));
    // One replica has to notice, all have to hear of it, and the longest token is to fit.
    assert_eq!(
        state.rotation_due(at(1010), &policy),
        Some(at(1090 - 2 * 10 - 20 - 1))
    );
    assert_eq!(
        (signer(&state, 1089), signer(&state, 1090)),
        (Some("a"), None)
    );
    assert!(state.advance(at(1049), &policy));
    assert_eq!(signer(&state, 1049), Some("b"));
}

#[test]
fn a_key_too_near_its_end_does_not_get_its_turn() {
    let (mut state, policy) = (ring(), policy());
    // So that it can sign for as long as the one after it has to be announced: 10 + 32 s.
    let enough = 1100 + 42 + 41;
    for (kid, end) in [("short", enough - 1), ("long", enough)] {
        state.add(Entry::new(kid.into(), Some(at(end)), at(1010)), at(1010));
    }
    state.keys.swap_remove(1);
    assert!(
        state.lacks_reserve(),
        "a key with an end is nothing to rely on"
    );
    state.add(key("c", 1010), at(1010));
    assert!(state.advance(at(1011), &policy));
    assert_eq!(state.keys.len(), 4);

    assert!(state.advance(at(1100), &policy));
    assert_eq!(signer(&state, 1100), Some("long"));
    assert_eq!(state.place("short"), None);
}

#[test]
fn a_full_ring_takes_no_more_keys_and_goes_on() {
    let (mut state, policy) = (ring(), policy());
    while !state.is_full() {
        let kid = format!("k{}", state.keys.len());
        state.add(key(&kid, 1010), at(1010));
    }
    assert_eq!(state.keys.len(), MOST_KEYS);
    for place in 1..MOST_KEYS {
        state.keys[place].activates_at = Some(at(1000 + place as u64));
    }
    assert!(!state.lacks_reserve(), "there is no room for one");
    assert!(
        !state.clone().rotate(at(1100), Cause::Due),
        "there is no next key"
    );
    assert!(state.advance(at(1100), &policy));
    assert!(state.advance(at(1133), &policy));
    assert_eq!(state.keys.len(), 1, "all but the last were retired");
    assert!(state.lacks_reserve());
}

#[test]
fn an_answer_is_kept_for_less_time_for_a_while_after_a_key_was_revoked() {
    let mut state = ring();
    let policy = policy();
    assert!(!state.is_emergency(at(1050)));
    state.revoke("a", at(1050));
    // For as long as somebody may hold an answer with it: 10 + 5 + 15 + 2 * 1 s.
    for (now, expected) in [(1050, true), (1081, true), (1082, false)] {
        assert_eq!(state.is_emergency(at(now)), expected, "{now}");
    }
    assert_eq!(state.emergency_max_age(&policy), secs(2));
    assert_eq!(state.max_age(&policy), secs(5));
    state.promise.max_age = secs(1);
    assert_eq!(state.max_age(&policy), secs(1), "what the ring promises");
    assert_eq!(state.emergency_max_age(&policy), secs(1));
}

#[test]
fn a_promise_gets_longer_and_not_shorter() {
    let mut state = ring();
    let build = |max_age, token_life| {
        let policy = RotationPolicy::builder().interval(secs(100)).poll(secs(1));
        let policy = policy
            .propagation(secs(10))
            .grace(secs(15))
            .clock_skew(secs(1));
        policy
            .max_age(secs(max_age))
            .token_life(secs(token_life))
            .build()
            .unwrap()
    };
    assert!(state.advance(at(1002), &build(1, 60)));
    assert_eq!(
        (state.promise.max_age, state.promise.token_life),
        (secs(5), secs(60))
    );
    assert!(!state.advance(at(1003), &policy()));
}

#[test]
fn by_a_clock_that_is_behind_the_first_key_signs_as_well() {
    let mut state = ring();
    assert_eq!(signer(&state, 999), Some("a"));
    assert_eq!(
        signer(&state, 998),
        None,
        "that is further off than clocks may be"
    );
    assert!(!state.rotate(at(998), Cause::Now), "one is decided on");
}
