//! What is private stays private: in the types, in what is shown, in what is published.

use serde_json::Value;
use std::fmt::{Debug, Write};
use tests::{capture::assert_without, forge, keys::new_key, openssl};
use tower_jwks::{
    Algorithm, Jwk, JwkSet, JwksEndpoint, JwksLayer, KeyRing, KeySet, PublishedKeys, SigningKey,
};

/// Does not compile if the type has the trait: then two impls give the item.
macro_rules! assert_not {
    ($type:ty: $trait:path) => {
        const _: fn() = || {
            trait AmbiguousIfImplemented<A> {
                fn item() {}
            }
            struct Second;
            impl<T: ?Sized> AmbiguousIfImplemented<()> for T {}
            impl<T: ?Sized + $trait> AmbiguousIfImplemented<Second> for T {}
            let _ = <$type as AmbiguousIfImplemented<_>>::item;
        };
    };
}

assert_not!(SigningKey: Clone);
assert_not!(SigningKey: serde::Serialize);
assert_not!(SigningKey: std::fmt::Display);
assert_not!(SigningKey: AsRef<[u8]>);
assert_not!(SigningKey: Default);

/// The private numbers of a key, as `openssl` prints them.
fn private_numbers(pem: &str) -> Vec<Vec<u8>> {
    const PRIVATE: [&str; 7] = [
        "priv:",
        "privateExponent:",
        "prime1:",
        "prime2:",
        "exponent1:",
        "exponent2:",
        "coefficient:",
    ];
    let text = openssl::text("pkey -text -noout", pem);
    let mut numbers = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if !PRIVATE.contains(&line) {
            continue;
        }
        let mut hex = String::new();
        while let Some(digits) = lines.next_if(|line| line.starts_with(' ')) {
            hex.push_str(digits.trim());
        }
        let bytes = hex.split(':').filter(|digits| !digits.is_empty());
        let bytes: Vec<u8> = bytes
            .map(|digits| u8::from_str_radix(digits, 16).unwrap())
            .collect();
        numbers.push(bytes.into_iter().skip_while(|byte| *byte == 0).collect());
    }
    numbers
}

/// The ways in which a number may be written.
fn spellings(number: &[u8]) -> Vec<String> {
    use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};

    let hex = |separator: &str| {
        let mut text = String::new();
        for byte in number {
            write!(text, "{byte:02x}{separator}").unwrap();
        }
        text
    };
    let list = format!("{number:?}");
    let mut spellings = vec![
        hex(""),
        hex("").to_uppercase(),
        hex(":"),
        list.trim_start_matches('[').to_owned(),
    ];
    // Within a longer text base64 has three forms, by where the number begins.
    for skipped in 0..3 {
        spellings.push(forge::encode(&number[skipped..]));
        spellings.push(BASE64_STANDARD_NO_PAD.encode(&number[skipped..]));
    }
    spellings
}

fn shown(value: &dyn Debug) -> String {
    format!("{value:?}\n{value:#?}\n")
}

#[test]
fn nothing_that_is_shown_has_a_private_byte() {
    if !openssl::is_there() {
        return;
    }
    for (algorithm, pem, count) in [
        (Algorithm::RS256, openssl::rsa(2048), 6),
        (Algorithm::PS384, openssl::rsa(2048), 6),
        (Algorithm::ES256, openssl::ec("P-256"), 1),
        (Algorithm::ES384, openssl::ec("P-384"), 1),
        (Algorithm::EdDSA, openssl::ed25519(), 1),
    ] {
        let numbers = private_numbers(&pem);
        assert_eq!(numbers.len(), count, "{algorithm}");
        let secrets: Vec<String> = numbers
            .iter()
            .flat_map(|number| spellings(number))
            .collect();

        let read = || SigningKey::from_pem(algorithm, &pem).unwrap();
        let signing = read();
        let signature = signing.sign(b"message").unwrap();
        let set = JwkSet::new([Jwk::from(&signing)]).unwrap();
        let ring = KeyRing::new(read());
        let published: &PublishedKeys = &ring.published().unwrap();
        let mut text = String::new();
        for value in [
            &signing as &dyn Debug,
            &signature,
            &signing.verifying_key(),
            signing.jwk(),
            &set,
            &KeySet::new(&set, Algorithm::ALL),
            &ring,
            &KeyRing::builder(read()).publish(&new_key(Algorithm::EdDSA)),
            published,
            &JwksLayer::new(ring.clone()),
            &JwksEndpoint::new(ring.clone()),
        ] {
            text.push_str(&shown(value));
        }
        text.push_str(&signing.jwk().to_string());
        text.push_str(set.json());
        text.push_str(published.json());
        assert_without(&text, &secrets);
        assert_without(&shown(&signature), spellings(signature.as_ref()));

        assert_without(&errors(algorithm, &pem), &secrets);
    }
}

/// What is said about the key when it is damaged, or read as something else.
fn errors(algorithm: Algorithm, pem: &str) -> String {
    let der = openssl::run("pkcs8 -topk8 -nocrypt -outform DER", pem);
    let cut = pem.len() - 40;
    let mut text = String::new();
    for error in [
        SigningKey::from_der(algorithm, &der[..der.len() - 1]).unwrap_err(),
        SigningKey::from_pem(algorithm, &pem[..cut]).unwrap_err(),
        SigningKey::from_pem(algorithm, pem.replace("PRIVATE", "PUBLIC")).unwrap_err(),
        JwkSet::parse(pem).unwrap_err(),
        JwkSet::parse(format!(r#"{{"keys":[{pem:?}],"keys":[]}}"#)).unwrap_err(),
        Jwk::parse(&format!("{pem:?}")).unwrap_err(),
    ] {
        text.push_str(&error.to_string());
        text.push_str(&shown(&error));
    }
    text
}

/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4; RFC 8037 section 2.
const FORBIDDEN: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

#[test]
fn what_is_published_has_public_members_alone() {
    for &algorithm in Algorithm::ALL {
        let key = new_key(algorithm);
        let mut expected = vec!["alg", "kid", "kty", "use"];
        expected.extend(match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => &["crv", "x", "y"][..],
            Algorithm::EdDSA => &["crv", "x"],
            _ => &["e", "n"],
        });
        expected.sort_unstable();

        let set = JwkSet::new([Jwk::from(&key)]).unwrap();
        let ring = KeyRing::new(key);
        let jwk: Value = serde_json::from_str(&set.keys()[0].to_string()).unwrap();
        let documents = [
            serde_json::json!({ "keys": [jwk] }),
            serde_json::from_str(set.json()).unwrap(),
            serde_json::to_value(&set).unwrap(),
            serde_json::from_str(ring.published().unwrap().json()).unwrap(),
        ];
        for document in documents {
            assert_eq!(document.as_object().unwrap().len(), 1);
            let keys = document["keys"].as_array().unwrap();
            assert_eq!(keys.len(), 1);
            let members = keys[0].as_object().unwrap();
            let mut names: Vec<&str> = members.keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, expected, "{algorithm}");
            assert!(names.iter().all(|name| !FORBIDDEN.contains(name)));
            assert!(
                members
                    .values()
                    .all(|value| value.as_str().is_some_and(|text| !text.is_empty()))
            );
        }
    }
}

#[test]
fn a_set_that_was_read_with_private_members_is_rendered_without() {
    let private = r#"{"keys":[
        {"kty":"OKP","crv":"Ed25519","kid":"a","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
         "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        {"kty":"OKP","crv":"Ed25519","kid":"b","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    ]}"#;
    let set = JwkSet::parse(private).unwrap();
    let [left_out] = set.left_out() else {
        panic!("one is left out");
    };
    assert!(left_out.is_private());
    assert_eq!(
        left_out.to_string(),
        r#"key 0 (kid "a"): d: is private and must not be published"#
    );
    let text = format!("{set:?}{}{left_out:?}{left_out}", set.json());
    assert_without(&text, ["nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"]);
    assert_eq!(set.keys().len(), 1);
}
