//! Keys: what signs, what verifies, how they are read, named and published.

mod by_hand;
mod candidates;
mod certificates;
mod errors;
mod files;
mod jws;
mod ring;
mod secrets;
mod sets;

use serde::Deserialize;
use tests::{
    corpora,
    keys::{is_rsa, key},
    openssl,
};
use tower_jwks::{Algorithm, InvalidSignature, Jwk, RsaSize, SigningKey, VerifyingKey};

#[test]
fn every_algorithm_signs_what_its_public_half_verifies() {
    for &algorithm in Algorithm::ALL {
        let signing = key(algorithm);
        let verifying = signing.verifying_key();
        assert_eq!(signing.algorithm(), algorithm);
        assert_eq!(verifying.algorithm(), algorithm);

        for message in [&b""[..], b"message", &[0xff; 10_000]] {
            let signature = signing.sign(message).unwrap();
            assert_eq!(
                verifying.verify(message, signature.as_ref()),
                Ok(()),
                "{algorithm}"
            );
        }

        let signature = signing.sign(b"message").unwrap();
        let good = signature.as_ref();
        let mut flipped = good.to_vec();
        flipped[7] ^= 1;
        for (message, signature) in [
            (&b"another"[..], good),
            (b"message", &flipped),
            (b"message", &good[1..]),
            (b"message", &good[..good.len() - 1]),
            (b"message", &[good, &[0]].concat()),
            (b"message", &[&[0], good].concat()),
            (b"message", &vec![0; good.len()]),
            (b"message", b""),
        ] {
            let verdict = verifying.verify(message, signature);
            assert!(
                matches!(verdict, Err(InvalidSignature { .. })),
                "{algorithm}"
            );
        }
    }
}

#[test]
fn an_rsa_signature_holds_under_its_own_algorithm_alone() {
    if !openssl::is_there() {
        return;
    }
    let pem = openssl::rsa(2048);
    let keys: Vec<SigningKey> = Algorithm::ALL
        .iter()
        .copied()
        .filter(|algorithm| is_rsa(*algorithm))
        .map(|algorithm| SigningKey::from_pem(algorithm, &pem).unwrap())
        .collect();
    assert_eq!(keys.len(), 6);
    for signer in &keys {
        let signature = signer.sign(b"message").unwrap();
        for verifier in &keys {
            let verdict = verifier
                .verifying_key()
                .verify(b"message", signature.as_ref());
            let (signed, asked) = (signer.algorithm(), verifier.algorithm());
            assert_eq!(verdict.is_ok(), signed == asked, "{signed} under {asked}");
        }
    }
}

#[test]
fn ecdsa_signatures_are_two_numbers_of_the_full_length() {
    for (algorithm, length) in [(Algorithm::ES256, 64), (Algorithm::ES384, 96)] {
        for _ in 0..32 {
            let signature = key(algorithm).sign(b"message").unwrap();
            assert_eq!(signature.as_ref().len(), length, "{algorithm}");
        }
    }
}

#[test]
fn a_generated_rsa_key_has_the_size_that_was_asked_for() {
    for (size, bits) in [
        (RsaSize::default(), 2048),
        (RsaSize::Bits2048, 2048),
        (RsaSize::Bits3072, 3072),
        (RsaSize::Bits4096, 4096),
    ] {
        let key = SigningKey::generate_rsa(Algorithm::PS256, size);
        if cfg!(feature = "aws-lc-rs") {
            let members: serde_json::Value =
                serde_json::from_str(&key.unwrap().jwk().to_string()).unwrap();
            let modulus = tests::forge::decode(members["n"].as_str().unwrap());
            assert_eq!(modulus.len() * 8, bits);
            assert!(modulus[0] & 0x80 != 0);
        } else {
            let error = key.unwrap_err().to_string();
            assert!(error.contains("ring cannot generate RSA keys"), "{error}");
            assert!(error.contains("aws-lc-rs"), "{error}");
        }
    }
}

#[test]
fn a_verifying_key_is_not_made_for_another_algorithm_than_its_jwk_names() {
    for &ours in Algorithm::ALL {
        let jwk = key(ours).jwk();
        for &asked in Algorithm::ALL {
            let made = VerifyingKey::from_jwk(asked, jwk);
            if asked == ours {
                assert!(made.is_ok());
            } else {
                let error = made.unwrap_err().to_string();
                assert_eq!(
                    error,
                    format!("alg: the key is for {ours}, not for {asked}")
                );
            }
        }
    }
}

#[derive(Deserialize)]
struct Thumbprint {
    jwk: serde_json::Map<String, serde_json::Value>,
    thumbprint_sha256: String,
}

#[test]
fn the_thumbprint_is_that_of_rfc_7638() {
    // RFC 7638 section 3.1.
    let jwk = Jwk::parse(
        r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
    )
    .unwrap();
    assert_eq!(
        jwk.thumbprint(),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(jwk.kid(), Some("2011-04-29"));

    let cases: Option<Vec<Thumbprint>> = corpora::json("rfc/thumbprints.json");
    for mut case in cases.unwrap_or_default() {
        // It is the key that counts, whatever it is for.
        case.jwk.remove("use");
        let json = serde_json::to_string(&case.jwk).unwrap();
        let thumbprint = Jwk::parse(&json).unwrap().thumbprint();
        assert_eq!(thumbprint, case.thumbprint_sha256);
    }
}

#[test]
fn the_kid_is_the_thumbprint_unless_another_is_given() {
    for &algorithm in Algorithm::ALL {
        let key = key(algorithm);
        assert_eq!(key.kid(), key.jwk().thumbprint(), "{algorithm}");
        assert_eq!(key.jwk().kid(), Some(key.kid()));
        assert_eq!(key.verifying_key().kid(), Some(key.kid()));
    }
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let thumbprint = key.kid().to_owned();
    let key = key.with_kid("the one of 2026").unwrap();
    assert_eq!(key.kid(), "the one of 2026");
    assert_eq!(key.jwk().kid(), Some("the one of 2026"));
    assert_eq!(key.verifying_key().kid(), Some("the one of 2026"));
    assert_eq!(key.jwk().thumbprint(), thumbprint);
}

#[test]
fn a_kid_that_is_no_name_is_refused() {
    for (kid, error) in [
        (String::new(), "kid: is empty"),
        ("k".repeat(257), "kid: is over 256 bytes"),
        ("a\nb".to_owned(), "kid: has a control character"),
        ("a\0".to_owned(), "kid: has a control character"),
    ] {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        let verifying = key.verifying_key();
        assert_eq!(verifying.with_kid(&kid).unwrap_err().to_string(), error);
        assert_eq!(key.with_kid(kid).unwrap_err().to_string(), error);
    }
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    assert!(key.with_kid("k".repeat(256)).is_ok());
}
