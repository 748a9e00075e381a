//! The bounds of what is revoked, and what is shown of it.

use std::time::Duration;
use tests::{
    capture::assert_without,
    forge::{self, ISSUER, Token},
    keys::key,
    time::{NOW, clock},
};
use tower_backend_jwt::Revocations;
use tower_jwks::{Algorithm, UnixTime};

const HOUR: Duration = Duration::from_secs(3600);

fn revoke(revocations: &Revocations, jti: &str, expires_at: UnixTime) -> bool {
    revocations.revoke_id(ISSUER, jti, expires_at).is_ok()
}

fn revoke_all_of(revocations: &Revocations, subject: &str) -> bool {
    revocations
        .revoke_subject(ISSUER, subject, NOW, HOUR)
        .is_ok()
}

#[test]
fn what_is_full_takes_no_more_and_forgets_nothing() {
    let clock = clock();
    let revocations = Revocations::with_clock(3, clock);
    assert!(revocations.is_empty());
    let end = NOW.saturating_add(HOUR);
    assert!(revoke(&revocations, "a", end));
    assert!(revoke(&revocations, "b", end));
    assert!(revoke_all_of(&revocations, "alice"));
    for _ in 0..2 {
        let error = revocations.revoke_id(ISSUER, "c", end).unwrap_err();
        assert_eq!(error.field(), "revocations");
        assert!(error.to_string().contains('3'), "{error}");
        assert!(!revoke_all_of(&revocations, "bob"));
        let other = revocations.revoke_id("https://other.example.com", "a", end);
        assert!(other.is_err());
        assert_eq!(revocations.len(), 3);
    }
    // What is there already needs no room.
    assert!(revoke(&revocations, "a", end.saturating_add(HOUR)));
    assert!(revoke_all_of(&revocations, "alice"));
    assert_eq!(revocations.len(), 3);

    let key = key(Algorithm::EdDSA);
    let verifier = tower_backend_jwt::Verifier::builder()
        .issuer(forge::issuer(key))
        .clock(tests::time::clock())
        .revocations(revocations)
        .build()
        .unwrap();
    let revoked = |token: Token<'_>| verifier.verify(&token.sign()).is_err();
    let bob = || Token::of(key).claim("sub", "bob");
    assert!(revoked(bob().claim("jti", "a")));
    assert!(revoked(bob().claim("jti", "b")));
    assert!(!revoked(bob().claim("jti", "c")));
    assert!(revoked(Token::of(key).claim("iat", NOW.as_secs() - 1)));
}

#[test]
fn there_is_room_again_when_tokens_are_expired_for_an_hour() {
    let clock = clock();
    let revocations = Revocations::with_clock(2, clock.clone());
    assert!(revoke(&revocations, "a", NOW.saturating_add(HOUR)));
    // It lives on for an hour from when it was revoked.
    assert!(revoke_all_of(&revocations, "alice"));
    let end = NOW.saturating_add(3 * HOUR);
    clock.set(
        NOW.saturating_add(2 * HOUR)
            .saturating_sub(Duration::from_secs(1)),
    );
    assert!(!revoke(&revocations, "b", end));
    assert_eq!(revocations.len(), 2);
    clock.advance(Duration::from_secs(1));
    assert!(revoke(&revocations, "b", end));
    assert!(revoke(&revocations, "c", end));
    assert!(!revoke(&revocations, "d", end));
    assert_eq!(revocations.len(), 2);
}

#[test]
fn a_revocation_that_is_repeated_lasts_as_long_as_the_longest() {
    let clock = clock();
    let revocations = Revocations::with_clock(1, clock.clone());
    assert!(revoke(&revocations, "a", NOW.saturating_add(2 * HOUR)));
    assert!(revoke(&revocations, "a", NOW));
    clock.advance(2 * HOUR);
    assert!(!revoke(&revocations, "b", NOW.saturating_add(9 * HOUR)));
    clock.advance(HOUR);
    assert!(revoke(&revocations, "b", NOW.saturating_add(9 * HOUR)));
}

#[test]
fn without_room_nothing_can_be_revoked() {
    let revocations = Revocations::with_clock(0, clock());
    assert!(!revoke(&revocations, "a", NOW.saturating_add(HOUR)));
    assert!(!revoke_all_of(&revocations, "alice"));
    assert!(revocations.is_empty());
}

#[test]
fn a_time_at_the_end_of_all_times_overflows_nothing() {
    let revocations = Revocations::with_clock(1, clock());
    let last = UnixTime::from_secs(u64::MAX);
    let result = revocations.revoke_subject(ISSUER, "alice", last, Duration::MAX);
    assert!(result.is_ok());
    assert!(!revoke(&revocations, "a", NOW));
}

#[test]
fn a_token_without_an_id_cannot_be_revoked_by_it() {
    let key = key(Algorithm::EdDSA);
    let token = Token::of(key).without_claim("jti").sign();
    let token = forge::verifier(key).verify(&token).unwrap();
    let revocations = Revocations::default();
    let error = revocations.revoke(&token).unwrap_err();
    assert_eq!(error.field(), "jti");
    assert!(revocations.is_empty());
}

#[test]
fn what_is_shown_of_revocations_is_how_many_there_are() {
    let revocations = Revocations::with_clock(10, clock());
    assert!(revoke(&revocations, "telling-id", NOW));
    assert!(revoke_all_of(&revocations, "telling-subject"));
    let shown = format!("{revocations:?} {revocations:#?}");
    assert!(shown.contains("len: 2"), "{shown}");
    assert_without(&shown, ["telling", ISSUER]);
}

#[test]
fn clones_share_what_is_revoked() {
    let revocations = Revocations::with_clock(10, clock());
    let clone = revocations.clone();
    assert!(revoke(&revocations, "a", NOW));
    assert_eq!(clone.len(), 1);
}
