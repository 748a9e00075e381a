//! Bare signatures: the arithmetic under the tokens.

use serde::Deserialize;
use std::collections::BTreeMap;
use tests::corpora;
use tower_jwks::{Algorithm, Jwk, VerifyingKey};

#[derive(Deserialize)]
struct Case {
    id: String,
    alg: String,
    jwk: serde_json::Value,
    msg_hex: String,
    sig_hex: String,
    expected: String,
    comment: String,
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn wycheproofs_signatures_are_judged_as_their_labels_say() {
    let Some(cases) = corpora::json_lines::<Case>("wycheproof/raw_cases.jsonl") else {
        return;
    };
    let mut ran: BTreeMap<Algorithm, usize> = BTreeMap::new();
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in cases {
        let Ok(algorithm) = case.alg.parse::<Algorithm>() else {
            *skipped.entry(case.alg).or_default() += 1;
            continue;
        };
        let expected = match &*case.expected {
            "valid" => true,
            "invalid" => false,
            // Either verdict is right: a PKCS#1 padding that older software writes.
            "acceptable" => {
                *skipped.entry(case.expected).or_default() += 1;
                continue;
            }
            other => panic!("{}: expected to be {other}", case.id),
        };
        let jwk = Jwk::parse(&case.jwk.to_string()).unwrap();
        let key = VerifyingKey::from_jwk(algorithm, &jwk).unwrap();
        let verdict = key.verify(&bytes(&case.msg_hex), &bytes(&case.sig_hex));
        if verdict.is_ok() != expected {
            wrong.push(format!(
                "{} is {}: {}",
                case.id, case.expected, case.comment
            ));
        }
        *ran.entry(algorithm).or_default() += 1;
    }
    println!("ran: {ran:?}; skipped: {skipped:?}");
    assert_eq!(wrong, [""; 0]);
    for (algorithm, least) in [
        (Algorithm::RS256, 773),
        (Algorithm::RS384, 257),
        (Algorithm::RS512, 258),
        (Algorithm::PS256, 216),
        (Algorithm::PS384, 141),
        (Algorithm::PS512, 179),
        (Algorithm::ES256, 262),
        (Algorithm::ES384, 280),
        (Algorithm::EdDSA, 151),
    ] {
        assert!(ran[&algorithm] >= least, "{algorithm}: {}", ran[&algorithm]);
    }
    let skipped: Vec<&str> = skipped.keys().map(String::as_str).collect();
    assert_eq!(skipped, ["ES512", "acceptable"]);
}
