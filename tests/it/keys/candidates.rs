//! Which keys of a set a token is tried with.

use super::sets::{jwk, with};
use serde_json::json;
use tests::keys::{key, new_key};
use tower_jwks::{Algorithm, Jwk, JwkSet, KeySet, VerifyingKey};

#[test]
fn keys_of_two_types_with_one_kid_are_both_kept_and_told_apart_by_the_algorithm() {
    let keys = json!({ "keys": [jwk(Algorithm::ES256), jwk(Algorithm::EdDSA)] });
    let set = JwkSet::parse(keys.to_string()).unwrap();
    assert_eq!(set.left_out(), []);
    let keys = KeySet::new(&set, Algorithm::ALL);
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA] {
        let found: Vec<_> = keys.find(Some("odd"), algorithm).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].algorithm(), algorithm);
    }
    assert_eq!(keys.find(Some("odd"), Algorithm::ES384).count(), 0);
}

#[test]
fn a_key_without_alg_serves_each_allowed_algorithm_that_fits_it() {
    let set = json!({ "keys": [with(Algorithm::RS256, json!({ "alg": null }))] });
    let set = JwkSet::parse(set.to_string()).unwrap();
    let allowed = [Algorithm::RS256, Algorithm::PS512, Algorithm::ES256];
    let keys = KeySet::new(&set, &allowed);
    for &algorithm in Algorithm::ALL {
        let expected = usize::from([Algorithm::RS256, Algorithm::PS512].contains(&algorithm));
        let found = keys.find(Some("odd"), algorithm).count();
        assert_eq!(found, expected, "{algorithm}");
    }
}

#[test]
fn a_key_for_no_allowed_algorithm_is_left_out() {
    let set = JwkSet::new([key(Algorithm::ES256).jwk().clone()]).unwrap();
    let keys = KeySet::new(&set, &[Algorithm::RS256]);
    assert!(keys.is_empty());
    let said = keys.left_out()[0].to_string();
    assert!(
        said.ends_with("alg: is for no algorithm that is allowed"),
        "{said}"
    );
}

#[test]
fn a_token_is_tried_with_the_keys_of_its_kid_and_those_without() {
    let (one, two, unnamed) = (
        new_key(Algorithm::EdDSA).verifying_key(),
        new_key(Algorithm::EdDSA).verifying_key(),
        key(Algorithm::EdDSA).jwk().to_string(),
    );
    let (first, second) = (one.jwk().thumbprint(), two.jwk().thumbprint());
    let unnamed = unnamed.replace("\"kid\"", "\"name\"");
    let unnamed = VerifyingKey::from_jwk(Algorithm::EdDSA, &Jwk::parse(&unnamed).unwrap());
    let unnamed = unnamed.unwrap();
    let third = unnamed.jwk().thumbprint();
    let keys: KeySet = [one, two, unnamed].into_iter().collect();
    let found = |kid: Option<&str>| {
        let found = keys.find(kid, Algorithm::EdDSA);
        let mut found: Vec<String> = found.map(|key| key.jwk().thumbprint()).collect();
        found.sort_unstable();
        found
    };
    let sorted = |mut kids: Vec<&String>| {
        kids.sort_unstable();
        kids.into_iter().cloned().collect::<Vec<_>>()
    };
    assert_eq!(found(Some(&first)), sorted(vec![&first, &third]));
    assert_eq!(found(Some("unknown")), sorted(vec![&third]));
    assert_eq!(found(None), sorted(vec![&first, &second, &third]));
}

#[test]
fn no_more_than_sixteen_keys_are_tried() {
    let named = |number| {
        let key = key(Algorithm::EdDSA).verifying_key();
        key.with_kid(format!("key {number}")).unwrap()
    };
    let keys: KeySet = (0..64).map(named).collect();
    let tried = keys.find(None, Algorithm::EdDSA).count();
    assert_eq!(tried, KeySet::MAX_CANDIDATES);
    assert_eq!(keys.find(Some("key 63"), Algorithm::EdDSA).count(), 1);
}
