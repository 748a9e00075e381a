//! What a key signs, in the form of RFC 7515 and in those of older products.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use tests::{forge, keys::key, openssl};
use tower_jwks::{Algorithm, SigningKey};

/// Bytes that each alphabet writes with characters of its own.
const PAYLOAD: &[u8] = &[0xfb, 0xff, 0xfe, 0x3e, 0x3f];

fn with_certificate() -> Option<SigningKey> {
    openssl::is_there().then(|| {
        let pem = openssl::rsa(2048);
        let certificate =
            openssl::text("req -x509 -key /dev/stdin -subj /CN=gateway -days 2", &pem);
        SigningKey::from_pem(Algorithm::RS256, pem + &certificate).unwrap()
    })
}

fn header(jws: &str) -> Value {
    serde_json::from_slice(&forge::decode(jws.split('.').next().unwrap())).unwrap()
}

#[test]
fn without_a_choice_it_is_a_jws_of_rfc_7515() {
    for &algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let jws = key.jws("JWT").sign(PAYLOAD).unwrap();
        let parts: Vec<&str> = jws.split('.').collect();
        let [head, payload, signature] = parts[..] else {
            panic!("{jws}");
        };
        let expected = json!({"typ": "JWT", "alg": algorithm.name(), "kid": key.kid()});
        assert_eq!(header(&jws), expected);
        assert_eq!(payload, "-__-Pj8");
        let signed = format!("{head}.{payload}");
        let verdict = key
            .verifying_key()
            .verify(signed.as_bytes(), &forge::decode(signature));
        assert_eq!(verdict, Ok(()));
        let short = key.sign_jws("JWT", PAYLOAD).unwrap();
        assert_eq!(short.rsplit_once('.').unwrap().0, signed);
    }
}

#[test]
fn in_the_standard_alphabet_the_signature_is_over_the_text_as_it_is_written() {
    for &algorithm in Algorithm::ALL {
        let key = key(algorithm);
        // A signature may have none of the characters that differ, but not one after the other.
        let differs = (0..64).any(|_| {
            let text = key.jws("JWT").with_standard_alphabet().sign(PAYLOAD);
            let text = text.unwrap();
            let parts: Vec<&str> = text.split('.').collect();
            let [head, payload, signature] = parts[..] else {
                panic!("{text}");
            };
            assert_eq!(payload, "+//+Pj8");
            assert!(!text.contains(['=', '-', '_']));
            let bytes = BASE64_STANDARD_NO_PAD.decode(signature).unwrap();
            let verdict = key
                .verifying_key()
                .verify(format!("{head}.{payload}").as_bytes(), &bytes);
            assert_eq!(verdict, Ok(()));
            // Written in the other alphabet it is another text, and the signature does not hold.
            let rewritten = format!("{head}.-__-Pj8");
            let verdict = key.verifying_key().verify(rewritten.as_bytes(), &bytes);
            assert!(verdict.is_err());
            BASE64_URL_SAFE_NO_PAD.decode(signature).is_err()
        });
        assert!(differs || is_deterministic(algorithm), "{algorithm}");
    }
}

/// The same signature each time, so that chance may have left out what differs.
fn is_deterministic(algorithm: Algorithm) -> bool {
    use Algorithm::{EdDSA, RS256, RS384, RS512};
    matches!(algorithm, EdDSA | RS256 | RS384 | RS512)
}

#[test]
fn the_header_names_the_certificate_as_wso2_does() {
    let Some(key) = with_certificate() else {
        return;
    };
    let (x5t, x5t_s256) = (key.wso2_x5t().unwrap(), key.wso2_x5t_s256().unwrap());
    let jws = || key.jws("JWT");
    for (jws, expected) in [
        (
            jws().with_wso2_x5t().unwrap(),
            json!({"typ": "JWT", "alg": "RS256", "x5t": x5t, "kid": key.kid()}),
        ),
        (
            jws().with_wso2_x5t_s256().unwrap(),
            json!({"typ": "JWT", "alg": "RS256", "x5t#S256": x5t_s256, "kid": key.kid()}),
        ),
        (
            jws().with_wso2_x5t().unwrap().without_kid(),
            json!({"typ": "JWT", "alg": "RS256", "x5t": x5t}),
        ),
        (jws().without_kid(), json!({"typ": "JWT", "alg": "RS256"})),
    ] {
        assert_eq!(header(&jws.sign(b"{}").unwrap()), expected);
    }

    // The order is that of API Manager.
    let text = jws().with_wso2_x5t().unwrap().sign(b"{}").unwrap();
    let text = forge::decode(text.split('.').next().unwrap());
    let expected = format!(
        r#"{{"typ":"JWT","alg":"RS256","x5t":"{x5t}","kid":"{}"}}"#,
        key.kid()
    );
    assert_eq!(text, expected.as_bytes());
}

#[test]
fn without_a_certificate_nothing_is_named_after_one() {
    let key = key(Algorithm::ES256);
    let x5t = key.jws("JWT").with_wso2_x5t().unwrap_err();
    assert_eq!(
        x5t.to_string(),
        "x5t: is of a certificate, and the key has none"
    );
    let x5t_s256 = key.jws("JWT").with_wso2_x5t_s256().unwrap_err();
    assert_eq!(
        x5t_s256.to_string(),
        "x5t#S256: is of a certificate, and the key has none"
    );
}

#[test]
fn a_typ_or_kid_with_quotes_stays_one_member() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let key = key.with_kid(r#"a","alg":"none"#).unwrap();
    let header = header(&key.jws(r#"b"}"#).sign(b"{}").unwrap());
    let expected = json!({"typ": r#"b"}"#, "alg": "EdDSA", "kid": r#"a","alg":"none"#});
    assert_eq!(header, expected);
}
