//! No input from outside makes anything panic: good inputs, damaged in every which way.
//!
//! The damage is the same in each run, so that what is found once is found again.

use tests::{
    forge::{self, Token, sign},
    keys::key,
    openssl,
};
use tower_backend_jwt::BackendJwtEntry;
use tower_jwks::{Algorithm, JwkSet, SigningKey, VerifyingKey};

const ROUNDS: u64 = 4_000;

/// A stream of numbers that look random: xorshift64.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound.max(1) as u64).unwrap()
    }
}

/// What breaks parsers: brackets, quotes, escapes, numbers at their ends, and bytes that are no text.
const FRAGMENTS: [&[u8]; 16] = [
    b"{", b"}", b"[", b"]", b"\"", b"\\", b"\\u", b"\\ud800", b",", b":", b"1e999", b"-0", b"null",
    b"\xff", b"\0", b"..",
];

fn damage(original: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = original.to_vec();
    for _ in 0..=numbers.below(3) {
        let place = numbers.below(bytes.len());
        match numbers.below(6) {
            0 if !bytes.is_empty() => bytes[place] ^= 1 << numbers.below(8),
            1 if !bytes.is_empty() => drop(bytes.remove(place)),
            2 => bytes.truncate(place),
            3 => {
                let end = (place + numbers.below(40)).min(bytes.len());
                let copy = bytes[place.min(end)..end].to_vec();
                bytes.splice(place..place, copy);
            }
            _ => {
                let fragment = FRAGMENTS[numbers.below(FRAGMENTS.len())];
                bytes.splice(place..place, fragment.iter().copied());
            }
        }
    }
    bytes
}

/// Damages an input again and again, and gives each to `read`; how many it took.
fn survive(original: impl AsRef<[u8]>, read: impl Fn(&[u8]) -> bool) -> u64 {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    (0..ROUNDS)
        .map(|_| damage(original.as_ref(), &mut numbers))
        .map(|input| u64::from(read(&input)))
        .sum()
}

#[test]
fn damaged_tokens_are_refused_and_nothing_panics() {
    let key = key(Algorithm::EdDSA);
    let verifier = forge::verifier(key);
    let token = Token::of(key).sign();
    let taken = survive(&token, |input| {
        std::str::from_utf8(input).is_ok_and(|text| text != token && verifier.verify(text).is_ok())
    });
    assert_eq!(taken, 0);
}

#[test]
fn damaged_headers_and_claims_that_are_signed_make_nothing_panic() {
    let key = key(Algorithm::EdDSA);
    let verifier = forge::verifier(key);
    let (header, claims) = (forge::header(key).to_string(), forge::claims().to_string());
    let headers = survive(&header, |input| {
        verifier.verify(&sign(key, input, &claims)).is_ok()
    });
    let claims = survive(&claims, |input| {
        let verified = verifier.verify(&sign(key, &header, input));
        if let Ok(token) = &verified {
            // What passed is one sound object, whatever was done to it.
            token
                .claims::<serde_json::Map<String, serde_json::Value>>()
                .unwrap();
        }
        verified.is_ok()
    });
    assert!(headers < ROUNDS && claims < ROUNDS && claims > 0);
}

#[test]
fn damaged_key_sets_and_policies_make_nothing_panic() {
    let set = JwkSet::new(
        Algorithm::ALL
            .iter()
            .map(|algorithm| key(*algorithm).into()),
    )
    .unwrap();
    let taken = survive(set.json(), |input| {
        JwkSet::parse(input).is_ok_and(|read| {
            for name in ["\"d\"", "\"p\"", "\"k\""] {
                assert!(!read.json().contains(name));
            }
            true
        })
    });
    assert!(taken > 0 && taken < ROUNDS);
    let policy = r#"{"policyName":"BackendJwt","parameters":{"encoding":"Base64","signingAlgorithm":
        "SHA256withRSA","header":"X-JWT-Assertion","tokenTTL":3600,"customClaims":[{"claim":"a",
        "value":"2026-01-31T12:00:00.5+01:00","type":"date"}]}}"#;
    let taken = survive(policy, |input| {
        serde_json::from_slice::<BackendJwtEntry>(input).is_ok()
    });
    assert!(taken > 0 && taken < ROUNDS);
}

#[test]
fn damaged_keys_and_certificates_make_nothing_panic() {
    if !openssl::is_there() {
        return;
    }
    for (algorithm, pem) in [
        (Algorithm::RS256, openssl::rsa(2048)),
        (Algorithm::ES256, openssl::ec("P-256")),
        (Algorithm::ES384, openssl::ec("P-384")),
        (Algorithm::EdDSA, openssl::ed25519()),
    ] {
        let certificate = openssl::run(
            "req -x509 -key /dev/stdin -subj /CN=a -days 1 -outform DER",
            &pem,
        );
        let public = openssl::run("pkey -pubout -outform DER", &pem);
        for der in [certificate, public] {
            survive(der, |input| {
                VerifyingKey::from_der(algorithm, input).is_ok()
            });
        }
        // What is still read as this key signs as it: a damaged one is found when it is read.
        let mut numbers = Numbers(1);
        for _ in 0..200 {
            let damaged = damage(pem.as_bytes(), &mut numbers);
            if let Ok(key) = SigningKey::from_pem(algorithm, damaged) {
                let signature = key.sign(b"message").unwrap();
                assert!(
                    key.verifying_key()
                        .verify(b"message", signature.as_ref())
                        .is_ok()
                );
            }
        }
    }
}
