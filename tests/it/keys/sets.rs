//! Sets of keys as others publish them: what is kept, what is left out, and what is said about it.

use serde_json::{Value, json};
use tests::{
    forge::encode,
    keys::{key, new_key},
};
use tower_jwks::{Algorithm, Jwk, JwkSet, KeySet};

/// A public key of the kind, with the `kid` `odd`, to be spoiled.
pub(super) fn jwk(algorithm: Algorithm) -> Value {
    let mut jwk: Value = serde_json::from_str(&key(algorithm).jwk().to_string()).unwrap();
    jwk["kid"] = "odd".into();
    jwk
}

/// The same with other members; `null` takes one away.
#[allow(clippy::needless_pass_by_value)] // `json!` gives values
pub(super) fn with(algorithm: Algorithm, changes: Value) -> Value {
    let mut jwk = jwk(algorithm);
    let members = jwk.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    jwk
}

/// A number of so many bits, odd and of no form.
fn modulus(bits: usize) -> Vec<u8> {
    let mut number = vec![0xb5; bits / 8];
    number[1] = 0x17;
    number
}

fn rsa(bits: usize) -> Value {
    with(Algorithm::RS256, json!({ "n": encode(modulus(bits)) }))
}

#[test]
fn one_odd_key_is_left_out_by_name_and_spoils_only_itself() {
    use Algorithm::{ES256, ES384, EdDSA, RS256};

    let cases = [
        (
            json!({ "kty": "AKP", "kid": "odd" }),
            "kty: is not RSA, EC or OKP",
        ),
        (
            json!({ "kty": "rsa", "kid": "odd" }),
            "kty: is not RSA, EC or OKP",
        ),
        (
            with(RS256, json!({ "kty": "oct" })),
            "kty: is not RSA, EC or OKP",
        ),
        (
            json!({ "kty": "oct", "kid": "odd", "k": "AyM1SysPpbyDfgZld3umj1qz" }),
            "k: is private and must not be published",
        ),
        (with(RS256, json!({ "n": null })), "n: is missing"),
        (with(RS256, json!({ "e": null })), "e: is missing"),
        (with(ES256, json!({ "x": null })), "x: is missing"),
        (with(ES256, json!({ "y": null })), "y: is missing"),
        (
            with(ES256, json!({ "crv": null })),
            "crv: is not P-256 or P-384",
        ),
        (with(EdDSA, json!({ "x": null })), "x: is missing"),
        (with(EdDSA, json!({ "crv": null })), "crv: is not Ed25519"),
        (
            with(RS256, json!({ "n": "a+/b" })),
            "n: is not base64url without padding",
        ),
        (
            with(RS256, json!({ "e": "AQAB====" })),
            "e: is not base64url without padding",
        ),
        (
            with(RS256, json!({ "e": " AQAB" })),
            "e: is not base64url without padding",
        ),
        (
            with(EdDSA, json!({ "x": "AAB" })),
            "x: is not base64url without padding",
        ),
        (
            with(ES256, json!({ "d": "AQ" })),
            "d: is private and must not be published",
        ),
        (
            with(EdDSA, json!({ "d": "AQ" })),
            "d: is private and must not be published",
        ),
        (
            with(RS256, json!({ "d": "AQ" })),
            "d: is private and must not be published",
        ),
        (
            with(RS256, json!({ "p": "AQ" })),
            "p: is private and must not be published",
        ),
        (
            with(RS256, json!({ "q": "AQ" })),
            "q: is private and must not be published",
        ),
        (
            with(RS256, json!({ "dp": "AQ" })),
            "dp: is private and must not be published",
        ),
        (
            with(RS256, json!({ "dq": "AQ" })),
            "dq: is private and must not be published",
        ),
        (
            with(RS256, json!({ "qi": "AQ" })),
            "qi: is private and must not be published",
        ),
        (
            with(RS256, json!({ "oth": [] })),
            "oth: is private and must not be published",
        ),
        (with(RS256, json!({ "use": "enc" })), "use: is not sig"),
        (with(RS256, json!({ "use": "SIG" })), "use: is not sig"),
        (
            with(RS256, json!({ "key_ops": ["encrypt"] })),
            "key_ops: is without verify",
        ),
        (
            with(RS256, json!({ "key_ops": [] })),
            "key_ops: is without verify",
        ),
        (
            with(RS256, json!({ "alg": "ES256" })),
            "alg: ES256 does not fit a key of type RSA",
        ),
        (
            with(ES256, json!({ "alg": "ES384" })),
            "alg: ES384 does not fit a key of type P-256",
        ),
        (
            with(ES256, json!({ "alg": "RS256" })),
            "alg: RS256 does not fit a key of type P-256",
        ),
        (
            with(RS256, json!({ "alg": "HS256" })),
            "alg: not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA",
        ),
        (
            with(RS256, json!({ "alg": "none" })),
            "alg: not one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA",
        ),
        (rsa(1024), "kty: an RSA key under 2048 bits"),
        (
            with(
                RS256,
                json!({ "n": encode([vec![0; 200], modulus(1024)].concat()) }),
            ),
            "kty: an RSA key under 2048 bits",
        ),
        (
            with(RS256, json!({ "n": "" })),
            "kty: an RSA key under 2048 bits",
        ),
        (rsa(16_384), "kty: an RSA key over 8192 bits"),
        (
            with(
                RS256,
                json!({ "n": encode([&modulus(2048)[1..], &[2, 4]].concat()) }),
            ),
            "kty: an RSA modulus that is even",
        ),
        (
            with(RS256, json!({ "e": "AQ" })),
            "kty: an RSA exponent that is not odd and at least 3",
        ),
        (
            with(RS256, json!({ "e": "AAAAAQ" })),
            "kty: an RSA exponent that is not odd and at least 3",
        ),
        (
            with(RS256, json!({ "e": "AQAA" })),
            "kty: an RSA exponent that is not odd and at least 3",
        ),
        (
            with(RS256, json!({ "e": "" })),
            "kty: an RSA exponent that is not odd and at least 3",
        ),
        (
            with(RS256, json!({ "e": encode([0xff; 9]) })),
            "kty: an RSA exponent over 33 bits",
        ),
        (
            with(ES256, json!({ "x": encode([1; 31]) })),
            "kty: an EC coordinate of the wrong length for its curve",
        ),
        (
            with(ES256, json!({ "y": encode([1; 33]) })),
            "kty: an EC coordinate of the wrong length for its curve",
        ),
        (
            with(ES256, json!({ "crv": "P-384", "alg": "ES384" })),
            "kty: an EC coordinate of the wrong length for its curve",
        ),
        (
            with(ES256, json!({ "crv": "P-521" })),
            "crv: is not P-256 or P-384",
        ),
        (
            with(ES256, json!({ "crv": "secp256k1" })),
            "crv: is not P-256 or P-384",
        ),
        (
            with(EdDSA, json!({ "crv": "X25519" })),
            "crv: is not Ed25519",
        ),
        (
            with(EdDSA, json!({ "crv": "Ed448" })),
            "crv: is not Ed25519",
        ),
        (
            with(EdDSA, json!({ "x": encode([1; 31]) })),
            "kty: an Ed25519 key that is not 32 bytes",
        ),
        (
            with(EdDSA, json!({ "x": encode([0; 32]) })),
            "kty: an Ed25519 key of small order, under which anyone can sign",
        ),
        (
            with(ES256, json!({ "x": encode([1; 32]) })),
            "public key: its numbers are no key",
        ),
        (
            with(ES256, json!({ "x": encode([0; 32]), "y": encode([0; 32]) })),
            "public key: its numbers are no key",
        ),
        (
            with(ES384, json!({ "y": encode([0xff; 48]) })),
            "public key: its numbers are no key",
        ),
        (with(ES256, json!({ "kid": "" })), "kid: is empty"),
    ];
    let good = key(ES256).jwk();
    for (odd, reason) in cases {
        let document = json!({ "keys": [odd, good, { "kty": "unheard of" }] }).to_string();
        let set = JwkSet::parse(&document).unwrap();
        let keys = KeySet::new(&set, Algorithm::ALL);
        let said: Vec<String> = keys.left_out().iter().map(ToString::to_string).collect();
        let kid = odd["kid"].as_str().unwrap();
        assert_eq!(said[0], format!("key 0 (kid {kid:?}): {reason}"), "{odd}");
        assert_eq!(said[1..], ["key 2: kty: is not RSA, EC or OKP"], "{odd}");
        assert!(set.keys().contains(good), "{odd}");
        assert_eq!(keys.find(good.kid(), ES256).count(), 1, "{odd}");
        assert_eq!(keys.find(Some("odd"), ES256).count(), 0, "{odd}");
        let private = reason.ends_with("is private and must not be published");
        assert_eq!(keys.left_out()[0].is_private(), private, "{odd}");
    }
}

#[test]
fn a_key_whose_members_have_the_wrong_type_is_left_out() {
    let good = key(Algorithm::ES256).jwk();
    for odd in [
        json!("a key"),
        json!(null),
        json!([]),
        json!({}),
        json!({ "kid": "odd" }),
        with(Algorithm::RS256, json!({ "n": 7 })),
        with(Algorithm::RS256, json!({ "kid": 7 })),
        with(Algorithm::RS256, json!({ "key_ops": "verify" })),
        with(Algorithm::RS256, json!({ "alg": ["RS256"] })),
    ] {
        let set = JwkSet::parse(json!({ "keys": [odd, good] }).to_string()).unwrap();
        assert_eq!(set.keys(), std::slice::from_ref(good), "{odd}");
        let [left_out] = set.left_out() else {
            panic!("{odd}: one is left out");
        };
        assert_eq!(left_out.position(), 0);
        assert_eq!(left_out.kid(), odd["kid"].as_str());
        assert!(left_out.to_string().contains(": jwk: is not a JWK: "));
    }
}

#[test]
fn a_private_member_is_seen_whatever_else_is_wrong_with_its_key() {
    for odd in [
        r#"{"kty":"RSA","kid":"a","d":"abc","n":123}"#,
        r#"{"kid":"a","d":null}"#,
        r#"{"kty":"odd","kid":"a","k":[]}"#,
    ] {
        let set = JwkSet::parse(format!(r#"{{"keys":[{odd}]}}"#)).unwrap();
        let left_out = &set.left_out()[0];
        assert!(left_out.is_private(), "{odd}");
        assert_eq!(left_out.kid(), Some("a"));
    }
}

#[test]
fn keys_without_a_kid_to_choose_by_are_tried_in_the_order_of_the_document() {
    let keys: Vec<_> = (0..20).map(|_| new_key(Algorithm::EdDSA)).collect();
    let set = JwkSet::new(keys.iter().map(Into::into)).unwrap();
    let set = KeySet::new(&set, Algorithm::ALL);
    let tried: Vec<_> = set
        .find(None, Algorithm::EdDSA)
        .map(|key| key.kid())
        .collect();
    let expected: Vec<_> = keys.iter().take(16).map(|key| Some(key.kid())).collect();
    assert_eq!(tried, expected);
}

#[test]
fn keys_of_one_type_with_one_kid_are_all_left_out() {
    let keys = json!({ "keys": [
        jwk(Algorithm::ES256), jwk(Algorithm::EdDSA), jwk(Algorithm::ES384), key(Algorithm::ES256).jwk(),
    ]});
    let set = JwkSet::parse(keys.to_string()).unwrap();
    let said: Vec<String> = set.left_out().iter().map(ToString::to_string).collect();
    let reason = r#"(kid "odd"): kid: is that of another key of this type as well"#;
    assert_eq!(said, [format!("key 0 {reason}"), format!("key 2 {reason}")]);
    assert_eq!(set.keys().len(), 2);
}

#[test]
fn a_document_that_is_no_set_is_refused() {
    for document in [
        "",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":"none"}"#,
        r#"{"keys":[]}x"#,
        r#"{"keys":[],"keys":[]}"#,
        "<html></html>",
        "\u{feff}{\"keys\":[]}",
    ] {
        let error = JwkSet::parse(document).unwrap_err().to_string();
        assert!(
            error.starts_with("jwks: is not a JWK Set: "),
            "{document}: {error}"
        );
    }
    assert!(
        JwkSet::parse(r#"{"keys":[],"more":{"than":"that"}}"#)
            .unwrap()
            .keys()
            .is_empty()
    );
}

#[test]
fn a_set_has_at_most_64_keys_and_256_kib() {
    let named = |number: usize| with(Algorithm::EdDSA, json!({ "kid": format!("key {number}") }));
    let set = |count| json!({ "keys": (0..count).map(named).collect::<Vec<_>>() }).to_string();
    assert_eq!(JwkSet::parse(set(64)).unwrap().keys().len(), 64);
    let refused = JwkSet::parse(set(65)).unwrap_err();
    assert_eq!(refused.to_string(), "jwks: has more than 64 keys");

    let padded = |bytes: usize| {
        let set = set(1);
        let spaces = " ".repeat(bytes - set.len());
        set + &spaces
    };
    assert_eq!(JwkSet::parse(padded(256 * 1024)).unwrap().keys().len(), 1);
    let too_long = padded(256 * 1024 + 1);
    let refused = JwkSet::parse(&too_long).unwrap_err();
    assert_eq!(refused.to_string(), "jwks: is over 256 KiB");

    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/too-long.json");
    std::fs::write(file, too_long).unwrap();
    let refused = JwkSet::from_file(file).unwrap_err();
    let named = format!("jwks: is over 256 KiB ({file})");
    assert_eq!(refused.to_string(), named);
    let refused = JwkSet::from_file("there/is/no.such").unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("jwks: cannot read there/is/no.such: ")
    );
}

#[test]
fn a_set_of_our_own_has_each_kid_once_and_at_most_64_keys() {
    let ours = key(Algorithm::EdDSA).verifying_key();
    let named =
        |kid: String| Jwk::from(&key(Algorithm::EdDSA).verifying_key().with_kid(kid).unwrap());
    let refused = JwkSet::new([ours.jwk().clone(), ours.jwk().clone()]).unwrap_err();
    assert!(refused.to_string().ends_with("names two keys"));
    let set = |count| JwkSet::new((0..count).map(|number: i32| named(number.to_string())));
    assert!(set(64).is_ok());
    assert_eq!(
        set(65).unwrap_err().to_string(),
        "jwks: has more than 64 keys"
    );
}

#[test]
fn what_is_said_about_a_key_is_short_and_escaped() {
    let kid = format!("\n\u{1b}[31m{}", "k".repeat(10_000));
    let set = json!({ "keys": [with(Algorithm::ES256, json!({ "kid": kid, "use": "enc" }))] });
    let set = JwkSet::parse(set.to_string()).unwrap();
    let said = set.left_out()[0].to_string();
    assert!(said.len() < 400, "{}", said.len());
    assert!(!said.contains(char::is_control), "{said}");
}
