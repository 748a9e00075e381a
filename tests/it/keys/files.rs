//! Keys as others write them.

use tests::{keys::is_rsa, openssl};
use tower_jwks::{Algorithm, SigningKey, VerifyingKey};

/// A key of each type, PKCS#8 in PEM, with an algorithm for it.
fn pkcs8() -> Vec<(Algorithm, String)> {
    vec![
        (Algorithm::RS256, openssl::rsa(2048)),
        (Algorithm::PS512, openssl::rsa(3072)),
        (Algorithm::ES256, openssl::ec("P-256")),
        (Algorithm::ES384, openssl::ec("P-384")),
        (Algorithm::EdDSA, openssl::ed25519()),
    ]
}

/// The conversions of `openssl` that give another form of the same private key.
fn private_forms(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => &["pkcs8 -topk8 -nocrypt", "ec"],
        Algorithm::EdDSA => &["pkcs8 -topk8 -nocrypt"],
        _ => &["pkcs8 -topk8 -nocrypt", "rsa -traditional"],
    }
}

#[test]
fn a_private_key_is_the_same_in_every_form() {
    if !openssl::is_there() {
        return;
    }
    for (algorithm, pem) in pkcs8() {
        let expected = SigningKey::from_pem(algorithm, &pem).unwrap();
        for form in private_forms(algorithm) {
            let pem = openssl::text(form, &pem);
            let der = openssl::run(&format!("{form} -outform DER"), &pem);
            assert_eq!(der, content(&pem), "{algorithm} {form}");
            let from_pem = SigningKey::from_pem(algorithm, &pem).unwrap();
            let from_der = SigningKey::from_der(algorithm, &der).unwrap();
            for key in [&from_pem, &from_der] {
                assert_eq!(key.jwk(), expected.jwk(), "{algorithm} {form}");
                let signature = key.sign(b"message").unwrap();
                let verdict = expected
                    .verifying_key()
                    .verify(b"message", signature.as_ref());
                assert_eq!(verdict, Ok(()), "{algorithm} {form}");
            }
        }
    }
}

#[test]
fn the_forms_are_the_ones_that_are_meant() {
    if !openssl::is_there() {
        return;
    }
    let labels: Vec<(Algorithm, Vec<String>)> = pkcs8()
        .into_iter()
        .map(|(algorithm, pem)| {
            let first_line = |form: &&str| {
                let text = openssl::text(form, &pem);
                text.lines().next().unwrap_or_default().to_owned()
            };
            let forms = private_forms(algorithm).iter();
            (algorithm, forms.map(first_line).collect())
        })
        .collect();
    for (algorithm, labels) in labels {
        let second = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => Some("-----BEGIN EC PRIVATE KEY-----"),
            Algorithm::EdDSA => None,
            _ => Some("-----BEGIN RSA PRIVATE KEY-----"),
        };
        assert_eq!(labels[0], "-----BEGIN PRIVATE KEY-----");
        assert_eq!(labels.get(1).map(String::as_str), second);
    }
}

#[test]
fn text_around_the_key_and_parameters_before_it_do_no_harm() {
    if !openssl::is_there() {
        return;
    }
    let with_parameters = openssl::text("ecparam -name prime256v1 -genkey", "");
    assert!(with_parameters.contains("BEGIN EC PARAMETERS"));
    assert!(SigningKey::from_pem(Algorithm::ES256, with_parameters).is_ok());

    let key = openssl::ec("P-384");
    let with_text = format!("our key\nuse it well\n\n{key}\nthe end\n");
    assert!(SigningKey::from_pem(Algorithm::ES384, with_text).is_ok());
    let with_carriage_returns = key.replace('\n', "\r\n");
    assert!(SigningKey::from_pem(Algorithm::ES384, with_carriage_returns).is_ok());
}

#[test]
fn a_public_key_is_the_same_in_every_form() {
    if !openssl::is_there() {
        return;
    }
    for (algorithm, pem) in pkcs8() {
        let signing = SigningKey::from_pem(algorithm, &pem).unwrap();
        let signature = signing.sign(b"message").unwrap();
        let certificate = "req -x509 -key /dev/stdin -subj /CN=test -days 30";
        let mut forms = vec![
            ("PUBLIC KEY", openssl::text("pkey -pubout", &pem)),
            ("CERTIFICATE", openssl::text(certificate, &pem)),
        ];
        if is_rsa(algorithm) {
            forms.push((
                "RSA PUBLIC KEY",
                openssl::text("rsa -RSAPublicKey_out", &pem),
            ));
        }
        for (label, text) in forms {
            assert!(text.starts_with(&format!("-----BEGIN {label}-----")));
            let from_pem = VerifyingKey::from_pem(algorithm, &text).unwrap();
            let from_der = VerifyingKey::from_der(algorithm, &content(&text)).unwrap();
            for key in [from_pem, from_der] {
                let context = format!("{algorithm} from {label}");
                let verdict = key.verify(b"message", signature.as_ref());
                assert_eq!(verdict, Ok(()), "{context}");
                assert_eq!(key.jwk().thumbprint(), signing.kid(), "{context}");
                assert_eq!(key.kid(), None, "{context}");
                assert_eq!(key.algorithm(), algorithm, "{context}");
            }
        }
    }
}

/// The content of a PEM text.
fn content(pem: &str) -> Vec<u8> {
    use base64::{Engine, prelude::BASE64_STANDARD};

    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    BASE64_STANDARD.decode(lines.collect::<String>()).unwrap()
}

#[test]
fn a_public_key_that_does_not_fit_is_refused_by_name() {
    if !openssl::is_there() {
        return;
    }
    let public = |pem: String| openssl::text("pkey -pubout", pem);
    let rsa = public(openssl::rsa(2048));
    for (algorithm, pem, error) in [
        (
            Algorithm::ES256,
            rsa.clone(),
            "algorithm: ES256 needs a key of type P-256; this one is RSA",
        ),
        (
            Algorithm::RS256,
            public(openssl::ed25519()),
            "algorithm: RS256 needs a key of type RSA; this one is Ed25519",
        ),
        (
            Algorithm::ES384,
            public(openssl::ec("P-256")),
            "algorithm: ES384 needs a key of type P-384; this one is P-256",
        ),
        (
            Algorithm::RS256,
            public(openssl::rsa(1024)),
            "public key: an RSA key under 2048 bits",
        ),
        (
            Algorithm::ES384,
            public(openssl::ec("P-521")),
            "public key: an EC key on a curve that is not P-256 or P-384",
        ),
        (
            Algorithm::RS256,
            String::new(),
            "public key: there is no public key and no certificate in the PEM",
        ),
        (
            Algorithm::RS256,
            openssl::ec("P-256"),
            "public key: there is no public key and no certificate in the PEM",
        ),
        (
            Algorithm::RS256,
            rsa.replace('A', "!"),
            "public key: is not valid PEM",
        ),
    ] {
        let refused = VerifyingKey::from_pem(algorithm, pem).unwrap_err();
        assert_eq!(refused.to_string(), error);
    }

    let whole = content(&rsa);
    for length in 0..whole.len() {
        let refused = VerifyingKey::from_der(Algorithm::RS256, &whole[..length]);
        assert!(refused.unwrap_err().to_string().starts_with("public key: "));
    }
}
