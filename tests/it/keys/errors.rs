//! Private keys that are refused, each with an error that names what is wrong.

use tests::openssl;
use tower_jwks::{Algorithm, SigningKey};

#[test]
fn an_algorithm_that_does_not_fit_the_key_is_refused_by_name() {
    if !openssl::is_there() {
        return;
    }
    let keys = [
        ("RSA", openssl::rsa(2048)),
        ("P-256", openssl::ec("P-256")),
        ("P-384", openssl::ec("P-384")),
        ("Ed25519", openssl::ed25519()),
    ];
    for &algorithm in Algorithm::ALL {
        let needed = match algorithm {
            Algorithm::ES256 => "P-256",
            Algorithm::ES384 => "P-384",
            Algorithm::EdDSA => "Ed25519",
            _ => "RSA",
        };
        for (kind, pem) in &keys {
            let read = SigningKey::from_pem(algorithm, pem);
            if *kind == needed {
                assert!(read.is_ok(), "{algorithm} with {kind}");
            } else {
                let error = read.unwrap_err();
                let expected = format!(
                    "algorithm: {algorithm} needs a key of type {needed}; this one is {kind}"
                );
                assert_eq!(error.to_string(), expected);
                assert_eq!(error.field(), "algorithm");
            }
        }
    }
}

#[test]
fn an_rsa_key_under_2048_bits_is_refused_by_its_size() {
    if !openssl::is_there() {
        return;
    }
    for bits in [1024, 2047] {
        let pkcs8 = openssl::rsa(bits);
        let pkcs1 = openssl::text("rsa -traditional", &pkcs8);
        for pem in [pkcs8, pkcs1] {
            let error = SigningKey::from_pem(Algorithm::RS256, pem).unwrap_err();
            assert_eq!(
                error.to_string(),
                "private key: an RSA key under 2048 bits",
                "{bits} bits"
            );
        }
    }
}

#[test]
fn a_key_of_another_kind_is_refused_as_such() {
    if !openssl::is_there() {
        return;
    }
    let curve = "private key: an EC key on a curve that is not P-256 or P-384";
    let kind = "private key: not an RSA, P-256, P-384 or Ed25519 key";
    for (pem, expected) in [
        (openssl::ec("P-521"), curve),
        (openssl::ec("secp256k1"), curve),
        (openssl::text("genpkey -algorithm X25519", ""), kind),
        (openssl::text("genpkey -algorithm ED448", ""), kind),
    ] {
        let error = SigningKey::from_pem(Algorithm::ES256, pem).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let sec1 = openssl::text("ec", openssl::ec("P-521"));
    let error = SigningKey::from_pem(Algorithm::ES256, sec1).unwrap_err();
    assert!(error.to_string().contains("curve"), "{error}");
}

#[test]
fn a_pem_text_without_a_usable_private_key_says_what_it_lacks() {
    let (none, invalid, encrypted) = (
        "private key: there is no private key in the PEM",
        "private key: is not valid PEM",
        "private key: is encrypted; decrypt it first (openssl pkey)",
    );
    for (pem, expected) in [
        ("", none),
        ("\n\n", none),
        ("not PEM at all", none),
        ("-----BEGIN PRIVATE KEY-----\n", invalid),
        (
            "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
            invalid,
        ),
    ] {
        let error = SigningKey::from_pem(Algorithm::RS256, pem).unwrap_err();
        assert_eq!(error.to_string(), expected, "{pem}");
    }
    if !openssl::is_there() {
        return;
    }
    let rsa = openssl::rsa(2048);
    for (form, expected) in [
        ("pkey -pubout", none),
        ("req -x509 -key /dev/stdin -subj /CN=test", none),
        ("pkcs8 -topk8 -passout pass:secret", encrypted),
        ("rsa -traditional -aes128 -passout pass:secret", encrypted),
    ] {
        let pem = openssl::text(form, &rsa);
        let error = SigningKey::from_pem(Algorithm::RS256, pem).unwrap_err();
        assert_eq!(error.to_string(), expected, "{form}");
    }
}

#[test]
fn a_key_that_is_cut_off_is_refused_wherever_the_cut_is() {
    let pkcs8 = "pkcs8 -topk8 -nocrypt";
    assert!(SigningKey::from_der(Algorithm::RS256, b"").is_err());
    assert!(SigningKey::from_der(Algorithm::RS256, &[0x30; 400]).is_err());
    if !openssl::is_there() {
        return;
    }
    for (algorithm, pem, form) in [
        (Algorithm::RS256, openssl::rsa(2048), pkcs8),
        (Algorithm::RS256, openssl::rsa(2048), "rsa -traditional"),
        (Algorithm::ES256, openssl::ec("P-256"), pkcs8),
        (Algorithm::ES256, openssl::ec("P-256"), "ec"),
        (Algorithm::ES384, openssl::ec("P-384"), pkcs8),
        (Algorithm::ES384, openssl::ec("P-384"), "ec"),
        (Algorithm::EdDSA, openssl::ed25519(), pkcs8),
    ] {
        let der = openssl::run(&format!("{form} -outform DER"), &pem);
        assert!(SigningKey::from_der(algorithm, &der).is_ok());
        for length in 0..der.len() {
            let error = SigningKey::from_der(algorithm, &der[..length]).unwrap_err();
            assert_eq!(error.field(), "private key", "{form} of {length} bytes");
        }
        let longer = [&der[..], &[0]].concat();
        assert!(SigningKey::from_der(algorithm, &longer).is_err(), "{form}");
    }
}

#[test]
fn any_changed_byte_of_a_key_is_refused_or_makes_another_sound_key() {
    if !openssl::is_there() {
        return;
    }
    for (algorithm, pem) in [
        (Algorithm::ES256, openssl::ec("P-256")),
        (Algorithm::EdDSA, openssl::ed25519()),
    ] {
        let der = openssl::run("pkcs8 -topk8 -nocrypt -outform DER", &pem);
        for position in 0..der.len() {
            let mut changed = der.clone();
            changed[position] ^= 1;
            if let Ok(key) = SigningKey::from_der(algorithm, &changed) {
                let signature = key.sign(b"message").unwrap();
                let verdict = key.verifying_key().verify(b"message", signature.as_ref());
                assert_eq!(verdict, Ok(()), "{algorithm}, byte {position}");
            }
        }
    }
}

#[test]
fn a_sec1_key_without_its_public_point_is_completed_or_refused_by_name() {
    if !openssl::is_there() {
        return;
    }
    let whole = openssl::ec("P-256");
    let bare = openssl::text("ec -no_public", &whole);
    let read = SigningKey::from_pem(Algorithm::ES256, bare);
    if cfg!(feature = "aws-lc-rs") {
        let expected = SigningKey::from_pem(Algorithm::ES256, whole).unwrap();
        assert_eq!(read.unwrap().jwk(), expected.jwk());
    } else {
        assert_eq!(
            read.unwrap_err().to_string(),
            "private key: has no public point, which ring needs"
        );
    }
}
