//! A new backend JWT is made ahead of time, in the background, and once.

use super::together::{Gateway, ask, gateway};
use super::*;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};
use tests::aside::{Aside, until};
use tower_jwks::Clock;

/// Of this time to live the half is used, and the last fifth of that has a new one made.
const TTL: u64 = 300;
const RENEWED: u64 = 120;
const USED: u64 = 150;

/// Both kinds: what is signed at once, and what is signed aside.
const KINDS: [Algorithm; 2] = [Algorithm::ES256, Algorithm::ES384];

struct Renewing {
    aside: Aside,
    clock: ManualClock,
    gateway: Gateway,
    token: String,
    requests: usize,
    /// How often the layer has asked for the time: once for each request, and once for each
    /// signature that is made aside.
    times: Arc<AtomicUsize>,
}

impl Renewing {
    fn new(keys: KeyRing, policy: Policy) -> Self {
        Self::with(Aside::new(), keys, policy, &signed(&json!({})))
    }

    fn with(aside: Aside, keys: KeyRing, policy: Policy, token: &str) -> Self {
        let (clock, times) = (clock(), Arc::new(AtomicUsize::new(0)));
        let layers = {
            let (clock, times) = (clock.clone(), Arc::clone(&times));
            move || {
                times.fetch_add(1, Ordering::Relaxed);
                clock.now()
            }
        };
        let layer = BackendJwtLayer::new(keys).clock(aside.clock(layers));
        let policy = policy.ttl(Duration::from_secs(TTL));
        Self {
            gateway: gateway(&layer.policy(policy).unwrap(), clock.clone()),
            aside,
            clock,
            token: token.to_owned(),
            requests: 0,
            times,
        }
    }

    /// So many seconds after the beginning.
    fn at(&self, seconds: u64) {
        self.clock
            .set(NOW.saturating_add(Duration::from_secs(seconds)));
    }

    /// The JWT, for which the request may have to wait.
    fn ask(&mut self) -> String {
        self.requests += 1;
        self.aside
            .block_on(ask(&self.gateway, &self.token))
            .unwrap()
    }

    /// The JWT, which is there.
    fn has(&mut self) -> String {
        self.requests += 1;
        let mut asked = ask(&self.gateway, &self.token);
        match self.aside.poll(asked.as_mut()) {
            Poll::Ready(jwt) => jwt.unwrap(),
            Poll::Pending => panic!("it has to be waited for"),
        }
    }

    /// The JWT that takes the place of this one.
    fn after(&mut self, old: &str) -> String {
        self.aside.go_on();
        let mut new = self.has();
        until(|| {
            new = self.has();
            new != old
        });
        new
    }

    fn signed_aside(&self) -> usize {
        self.times.load(Ordering::Relaxed) - self.requests
    }
}

fn issued_at(jwt: &str) -> u64 {
    claims_of(jwt)["iat"].as_u64().unwrap() - NOW.as_secs()
}

#[test]
fn the_old_one_is_handed_out_while_one_new_one_is_made() {
    for algorithm in KINDS {
        let mut it = Renewing::new(ring(algorithm), Policy::default());
        let first = it.ask();
        let before = it.signed_aside();
        it.at(RENEWED - 1);
        it.aside.hold();
        assert_eq!(it.has(), first);
        it.at(RENEWED);
        for _ in 0..5 {
            assert_eq!(it.has(), first);
        }
        it.at(USED - 1);
        assert_eq!(it.has(), first);
        let second = it.after(&first);
        assert_eq!(issued_at(&second), USED - 1, "when it was signed");
        for _ in 0..5 {
            assert_eq!(it.has(), second);
        }
        it.at(USED - 1 + RENEWED - 1);
        assert_eq!(it.has(), second);
        assert_eq!(it.signed_aside(), before + 1, "one, whoever asked");
        // It is renewed in its turn.
        it.at(USED - 1 + RENEWED);
        let third = it.after(&second);
        assert_eq!(issued_at(&third), USED - 1 + RENEWED);
        assert_eq!(it.signed_aside(), before + 2);
    }
}

#[test]
fn one_that_nobody_asks_for_is_not_renewed() {
    for algorithm in KINDS {
        let mut it = Renewing::new(ring(algorithm), Policy::default());
        let first = it.ask();
        let before = it.signed_aside();
        it.at(USED - 1);
        assert_eq!(it.signed_aside(), before);
        it.at(USED);
        assert_eq!(issued_at(&it.ask()), USED);
        assert_ne!(it.has(), first);
    }
}

#[test]
fn a_renewal_that_comes_too_late_takes_nobodys_place() {
    let mut it = Renewing::new(ring(Algorithm::ES256), Policy::default());
    let first = it.ask();
    it.aside.hold();
    it.at(RENEWED);
    assert_eq!(it.has(), first);
    it.at(USED);
    let second = it.has();
    assert_eq!(issued_at(&second), USED);
    it.at(USED + 1);
    it.aside.go_on();
    until(|| it.signed_aside() == 1);
    // The renewal is made after all, now or in a moment.
    for _ in 0..100 {
        assert_eq!(it.has(), second);
    }
}

#[test]
fn a_renewal_that_fails_leaves_the_old_one_until_it_may_not_be_handed_out_any_more() {
    for algorithm in KINDS {
        let aside = Aside::new();
        // The ring's own clock, and not the layer's: the ring loses its keys, and no time passes.
        let (rings, home) = (clock(), std::thread::current().id());
        let asked_aside = Arc::new(AtomicUsize::new(0));
        let counted = {
            let (rings, asked_aside) = (rings.clone(), Arc::clone(&asked_aside));
            move || {
                let now = rings.now();
                if std::thread::current().id() != home {
                    asked_aside.fetch_add(1, Ordering::SeqCst);
                }
                now
            }
        };
        let keys = unattended(algorithm, counted);
        let kid = keys.signing_key().unwrap().kid().to_owned();
        let mut it = Renewing::with(aside, keys.clone(), Policy::default(), &signed(&json!({})));
        let first = it.ask();
        let before = it.signed_aside();
        it.aside.hold();
        it.at(RENEWED);
        assert_eq!(it.has(), first);
        rings.advance(Duration::from_secs(7200));
        let asked = asked_aside.load(Ordering::SeqCst);
        it.aside.go_on();
        until(|| asked_aside.load(Ordering::SeqCst) > asked);
        assert_eq!(it.signed_aside(), before + 1);
        it.aside.block_on(keys.refresh()).unwrap();
        assert_eq!(keys.signing_key().unwrap().kid(), kid, "it is back");

        for seconds in [RENEWED, RENEWED + 1, USED - 1] {
            it.at(seconds);
            assert_eq!(it.has(), first);
        }
        assert_eq!(it.signed_aside(), before + 1, "it is not tried again");
        it.at(USED);
        assert_eq!(issued_at(&it.ask()), USED);
    }
}

#[test]
fn one_whose_key_no_longer_signs_is_not_handed_out_while_a_new_one_is_made() {
    let keys = unattended(Algorithm::ES256, clock());
    let mut it = Renewing::with(
        Aside::new(),
        keys.clone(),
        Policy::default(),
        &signed(&json!({})),
    );
    let first = it.ask();
    it.aside.hold();
    it.at(RENEWED);
    assert_eq!(it.has(), first);
    let kid = keys.signing_key().unwrap().kid().to_owned();
    it.aside.block_on(keys.revoke(&kid)).unwrap();
    // Nothing signs now, and so nothing is handed out.
    assert!(keys.signing_key().is_err());
    let refused = it.aside.block_on(ask(&it.gateway, &it.token)).unwrap_err();
    assert_eq!(refused, (503, RefusalReason::KeysUnavailable));
    it.aside.go_on();
    let refused = it.aside.block_on(ask(&it.gateway, &it.token)).unwrap_err();
    assert_eq!(refused, (503, RefusalReason::KeysUnavailable));
}

#[test]
fn one_that_ends_with_its_access_token_is_handed_out_to_the_end_and_not_renewed() {
    for algorithm in KINDS {
        let token = signed(&json!({"exp": NOW.as_secs() + 200}));
        let mut it = Renewing::with(Aside::new(), ring(algorithm), Policy::default(), &token);
        let first = it.ask();
        assert_eq!(claims_of(&first)["exp"], NOW.as_secs() + 200);
        let before = it.signed_aside();
        for seconds in [RENEWED, USED, 199] {
            it.at(seconds);
            assert_eq!(it.has(), first);
        }
        assert_eq!(it.signed_aside(), before);
        it.at(200);
        let refused = it.aside.block_on(ask(&it.gateway, &token)).unwrap_err();
        assert_eq!(refused, (401, RefusalReason::Expired));
    }
}
