//! The vectors of others: RFC appendices, Wycheproof, Istio.

mod istio;
mod raw;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};
use tests::{corpora, forge};
use tower_backend_jwt::{Issuer, RefusalReason, Verifier};
use tower_jwks::{Algorithm, FixedKeys, JwkSet, KeySet, ManualClock, UnixTime};

/// A JWS, or a JWE, which is never taken, and the keys it is to be checked with.
#[derive(Deserialize)]
struct Case {
    id: String,
    expected: String,
    jws: Option<Value>,
    jwe: Option<Value>,
    jwk: Option<Value>,
    jwks: Option<Value>,
}

impl Case {
    fn is_valid(&self) -> bool {
        match &*self.expected {
            "valid" => self.jws.is_some(),
            "invalid" => false,
            other => panic!("{}: expected to be {other}", self.id),
        }
    }

    /// What a caller would send: the compact form, or the JSON as it is.
    fn text(&self) -> String {
        match self.jws.as_ref().or(self.jwe.as_ref()) {
            Some(Value::String(compact)) => compact.clone(),
            Some(json) => json.to_string(),
            None => panic!("{}: a token", self.id),
        }
    }

    fn document(&self) -> Value {
        match (&self.jwks, &self.jwk) {
            (Some(set), _) => set.clone(),
            (None, Some(Value::Array(keys))) => json!({ "keys": keys }),
            (None, Some(key)) => json!({ "keys": [key] }),
            (None, None) => json!({ "keys": [] }),
        }
    }

    fn keys(&self) -> Arc<KeySet> {
        keys(&self.document())
    }

    /// The algorithm it is signed with, if it is one of ours.
    fn algorithm(&self) -> Option<Algorithm> {
        let text = self.text();
        header(text.split('.').next()?)?["alg"]
            .as_str()?
            .parse()
            .ok()
    }
}

fn keys(document: &Value) -> Arc<KeySet> {
    let set = JwkSet::parse(document.to_string()).unwrap();
    Arc::new(KeySet::new(&set, Algorithm::ALL))
}

fn header(segment: &str) -> Option<Value> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(segment).ok()?).ok()
}

/// Whether a compact JWS holds, whatever it is about: all that tower-jwks has a part in.
fn holds(keys: &KeySet, jws: &str) -> Option<bool> {
    let (signed, signature) = jws.rsplit_once('.')?;
    let (protected, payload) = signed.split_once('.')?;
    let header = header(protected)?;
    BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    let algorithm = header["alg"].as_str()?.parse().ok()?;
    let mut found = keys.find(header["kid"].as_str(), algorithm);
    Some(found.any(|key| key.verify(signed.as_bytes(), &signature).is_ok()))
}

/// Trusts the keys of a case, whoever issued what.
fn verifier(name: &str, keys: Arc<KeySet>, now: u64) -> Verifier {
    let issuer = Issuer::from_source(name, FixedKeys::from(keys)).dangerous_accept_any_audience();
    Verifier::builder()
        .issuer(issuer.build().unwrap())
        .clock(ManualClock::new(UnixTime::from_secs(now)))
        .build()
        .unwrap()
}

/// In the time of RFC 7519's example, whose issuer is `joe`.
const JOES_EXPIRY: u64 = 1_300_819_380;

fn refused(case: &Case, keys: Arc<KeySet>) {
    let token = case.text();
    assert_ne!(holds(&keys, &token), Some(true), "{}", case.id);
    let verdict = verifier("joe", keys, JOES_EXPIRY - 1).verify(&token);
    assert!(verdict.is_err(), "{}", case.id);
}

/// What is to come of a case.
enum Expected {
    Label(bool),
    /// The algorithm that the JWK names is not the one that signed.
    ValidWithoutAlg,
    Skipped,
}

/// How many cases of each kind ran.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ran {
    valid: usize,
    invalid: usize,
    skipped: usize,
}

fn run(cases: Vec<Case>, expected: impl Fn(&Case) -> Expected) -> Ran {
    let mut ran = Ran::default();
    for case in cases {
        let ours = case.algorithm().is_some();
        match expected(&case) {
            Expected::Label(true) if ours => {
                ran.valid += 1;
                assert_eq!(holds(&case.keys(), &case.text()), Some(true), "{}", case.id);
            }
            Expected::ValidWithoutAlg if ours => {
                ran.valid += 1;
                refused(&case, case.keys());
                let mut document = case.document();
                document["keys"][0].as_object_mut().unwrap().remove("alg");
                let keys = keys(&document);
                assert_eq!(holds(&keys, &case.text()), Some(true), "{}", case.id);
            }
            // An HMAC, or ES512: good, and none of ours.
            Expected::Label(true) | Expected::ValidWithoutAlg => {
                ran.skipped += 1;
                refused(&case, case.keys());
            }
            Expected::Label(false) => {
                ran.invalid += 1;
                refused(&case, case.keys());
            }
            Expected::Skipped => ran.skipped += 1,
        }
    }
    println!("{ran:?}");
    ran
}

#[test]
fn the_examples_of_the_rfcs_are_judged_as_they_say() {
    let Some(cases) = corpora::json_lines::<Case>("rfc/cases.jsonl") else {
        return;
    };
    let ran = run(cases, |case| Expected::Label(case.is_valid()));
    assert!(ran.valid >= 5 && ran.invalid >= 18, "{ran:?}");
}

#[derive(Deserialize)]
struct Dispute {
    id: String,
    #[serde(rename = "use")]
    usage: String,
}

#[test]
fn wycheproofs_tokens_are_judged_as_their_labels_say() {
    let Some(cases) = corpora::json_lines::<Case>("wycheproof/cases.jsonl") else {
        return;
    };
    let disputes: Vec<Dispute> = corpora::json("wycheproof/known_disputes.json").unwrap();
    let disputes: HashMap<String, String> = disputes
        .into_iter()
        .map(|dispute| (dispute.id, dispute.usage))
        .collect();
    let disputed = cases.iter().filter(|case| disputes.contains_key(&case.id));
    assert_eq!(disputed.count(), disputes.len());

    let ran = run(cases, |case| {
        match disputes.get(&case.id).map(String::as_str) {
            Some("skip") => Expected::Skipped,
            Some("expect invalid") => Expected::Label(false),
            Some("accept only when the JWK alg is dropped" | "as 346" | "as 347") => {
                Expected::ValidWithoutAlg
            }
            // What others may choose, we have chosen as the label says.
            Some(usage) if usage.starts_with("policy") => Expected::Label(case.is_valid()),
            None => Expected::Label(case.is_valid()),
            Some(usage) => panic!("{}: {usage}", case.id),
        }
    });
    assert!(ran.valid >= 37 && ran.invalid >= 455, "{ran:?}");
}

#[test]
fn no_encrypted_token_is_taken() {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Document {
        test_groups: Vec<Group>,
    }
    #[derive(Deserialize)]
    struct Group {
        tests: Vec<Test>,
    }
    #[derive(Deserialize)]
    struct Test {
        jwe: Value,
    }

    let document = corpora::json::<Document>("wycheproof/json_web_encryption_test.json");
    let Some(document) = document else {
        return;
    };
    let tests: Vec<Test> = document
        .test_groups
        .into_iter()
        .flat_map(|group| group.tests)
        .collect();
    assert!(tests.len() >= 139);
    let verifier = forge::verifier(tests::keys::key(Algorithm::RS256));
    for test in tests {
        let token = match test.jwe {
            Value::String(compact) => compact,
            json => json.to_string(),
        };
        let refusal = verifier.verify(&token).unwrap_err();
        assert_eq!(refusal.reason(), RefusalReason::MalformedToken, "{token}");
    }
}

#[test]
fn the_token_of_rfc_7515_is_verified_in_its_time() {
    let Some(cases) = corpora::json_lines::<Case>("rfc/cases.jsonl") else {
        return;
    };
    for id in ["rfc7515-A.2", "rfc7515-A.3"] {
        let case = cases.iter().find(|case| case.id == id).unwrap();
        let verify = |name, now| verifier(name, case.keys(), now).verify(&case.text());
        let token = verify("joe", JOES_EXPIRY - 1).unwrap();
        assert_eq!(token.issuer(), "joe");
        assert_eq!(Some(token.algorithm()), case.algorithm());
        assert_eq!(token.expires_at().as_secs(), JOES_EXPIRY);
        let root = token.claim::<bool>("http://example.com/is_root");
        assert_eq!(root.unwrap(), Some(true));

        for (name, now, reason) in [
            ("joe", JOES_EXPIRY + 61, RefusalReason::Expired),
            ("Joe", JOES_EXPIRY - 1, RefusalReason::UnknownIssuer),
        ] {
            assert_eq!(verify(name, now).unwrap_err().reason(), reason, "{id}");
        }
        let none = verifier("joe", Arc::default(), JOES_EXPIRY - 1);
        let refusal = none.verify(&case.text()).unwrap_err();
        assert_eq!(refusal.reason(), RefusalReason::UnknownKey, "{id}");
    }
}
