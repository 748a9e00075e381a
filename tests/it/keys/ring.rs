//! The ring: what signs is published.

use std::{sync::Arc, time::Duration};
use tests::keys::{key, new_key, ring};
use tower_jwks::{Algorithm, Jwk, JwkSet, KeyRing, KeySet, VerifyingKey};

fn kids(ring: &KeyRing) -> Vec<String> {
    let set = JwkSet::parse(ring.published().unwrap().json()).unwrap();
    assert_eq!(set.left_out(), []);
    let kids = set.keys().iter().filter_map(Jwk::kid);
    kids.map(str::to_owned).collect()
}

#[test]
fn a_ring_of_one_key_signs_with_it_and_publishes_it() {
    for &algorithm in Algorithm::ALL {
        let ring = ring(algorithm);
        let signing = ring.signing_key().unwrap();
        assert_eq!(ring.algorithm(), algorithm);
        assert_eq!(kids(&ring), [signing.kid()]);

        let published = JwkSet::parse(ring.published().unwrap().json()).unwrap();
        let keys = KeySet::new(&published, Algorithm::ALL);
        let found: Vec<_> = keys.find(Some(signing.kid()), algorithm).collect();
        let signature = signing.sign(b"message").unwrap();
        assert_eq!(found.len(), 1, "{algorithm}");
        assert_eq!(found[0].verify(b"message", signature.as_ref()), Ok(()));
    }
}

#[test]
fn a_ring_of_several_keys_signs_with_the_active_one_and_publishes_all() {
    let active = new_key(Algorithm::ES256);
    let kid = active.kid().to_owned();
    let (next, last) = (new_key(Algorithm::ES256), key(Algorithm::EdDSA));
    let ring = KeyRing::builder(active)
        .publish(&next)
        .publish(last)
        .max_age(Duration::from_secs(90))
        .build()
        .unwrap();
    assert_eq!(ring.signing_key().unwrap().kid(), kid);
    assert_eq!(kids(&ring), [&*kid, next.kid(), last.kid()]);
    assert_eq!(ring.published().unwrap().max_age(), Duration::from_secs(90));
}

#[test]
fn the_clones_of_a_ring_share_its_keys() {
    let ring = ring(Algorithm::ES256);
    let clone = ring.clone();
    let keys = [ring.signing_key().unwrap(), clone.signing_key().unwrap()];
    assert!(Arc::ptr_eq(&keys[0], &keys[1]));
    assert!(Arc::ptr_eq(
        &ring.published().unwrap(),
        &clone.published().unwrap()
    ));
}

#[test]
fn a_ring_with_one_kid_for_two_keys_is_refused() {
    let signing = new_key(Algorithm::ES256);
    let itself = signing.jwk().clone();
    let refused = KeyRing::builder(signing).publish(itself).build();
    let error = refused.unwrap_err().to_string();
    assert!(
        error.starts_with("kid: ") && error.ends_with("names two keys"),
        "{error}"
    );

    let named = |algorithm| new_key(algorithm).with_kid("2026").unwrap();
    let other = named(Algorithm::EdDSA);
    let refused = KeyRing::builder(named(Algorithm::ES256))
        .publish(&other)
        .build();
    let error = refused.unwrap_err().to_string();
    assert_eq!(error, r#"kid: "2026" names two keys"#);
}

#[test]
fn a_published_key_without_a_kid_is_refused() {
    let jwk = key(Algorithm::ES256).jwk();
    let mut members: serde_json::Value = serde_json::from_str(&jwk.to_string()).unwrap();
    members.as_object_mut().unwrap().remove("kid");
    let unnamed = Jwk::parse(&members.to_string()).unwrap();
    let verifying = VerifyingKey::from_jwk(Algorithm::ES256, &unnamed).unwrap();
    for jwk in [unnamed, Jwk::from(&verifying)] {
        let refused = KeyRing::builder(new_key(Algorithm::ES256))
            .publish(jwk)
            .build();
        let error = refused.unwrap_err().to_string();
        assert_eq!(error, "kid: a published key has none");
    }
}

#[test]
fn a_ring_has_no_more_keys_than_a_set_may_have() {
    let named = |number: usize| {
        let key = key(Algorithm::EdDSA).verifying_key();
        Jwk::from(&key.with_kid(format!("key {number}")).unwrap())
    };
    let build = |others| {
        let builder = KeyRing::builder(new_key(Algorithm::EdDSA));
        (0..others)
            .map(named)
            .fold(builder, |builder, jwk| builder.publish(jwk))
            .build()
    };
    assert!(build(63).is_ok());
    assert_eq!(
        build(64).unwrap_err().to_string(),
        "jwks: has more than 64 keys"
    );
}
