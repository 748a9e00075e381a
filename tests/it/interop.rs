//! The vocabulary of jsonwebtoken, and its engine as a judge of ours.

use jsonwebtoken::{
    DecodingKey, EncodingKey, Header, Validation,
    crypto::{JwtSigner, JwtVerifier},
    jwk,
};
use serde_json::{Value, json};
use tests::{
    forge::{self, Token},
    keys::{is_rsa, key},
    openssl,
};
use tower_jwks::{Algorithm, Jwk, JwkSet, SigningKey};

/// Checks the signature, the issuer and the audience. Not the time, which is theirs to ask for.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm.into());
    validation.set_audience(&[forge::AUDIENCE]);
    validation.set_issuer(&[forge::ISSUER]);
    validation.validate_exp = false;
    validation
}

/// The token about another, with the signature it had.
fn as_mallory(token: &str) -> String {
    let mut claims = forge::claims_of(token);
    claims["sub"] = "mallory".into();
    let parts: Vec<&str> = token.split('.').collect();
    let claims = forge::encode(claims.to_string());
    format!("{}.{claims}.{}", parts[0], parts[2])
}

#[test]
fn jsonwebtoken_decodes_what_our_keys_sign() {
    for &algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let theirs = jwk::Jwk::try_from(key.jwk()).unwrap();
        let theirs = DecodingKey::from_jwk(&theirs).unwrap();
        let token = Token::of(key).sign();
        let decoded =
            jsonwebtoken::decode::<Value>(&token, &theirs, &validation(algorithm)).unwrap();
        assert_eq!(decoded.claims, forge::claims(), "{algorithm}");
        assert_eq!(decoded.header.kid.as_deref(), Some(key.kid()));

        let forged = as_mallory(&token);
        let refused = jsonwebtoken::decode::<Value>(&forged, &theirs, &validation(algorithm));
        assert!(refused.is_err(), "{algorithm}");
    }
}

/// A key in their form and in ours.
fn shared_key(algorithm: Algorithm) -> (EncodingKey, SigningKey) {
    let pkcs8 = "pkcs8 -topk8 -nocrypt";
    let der = |pem, form| openssl::run(&format!("{form} -outform DER"), pem);
    let (theirs, der): (fn(&[u8]) -> EncodingKey, _) = match algorithm {
        Algorithm::ES256 => (EncodingKey::from_ec_der, der(openssl::ec("P-256"), pkcs8)),
        Algorithm::ES384 => (EncodingKey::from_ec_der, der(openssl::ec("P-384"), pkcs8)),
        Algorithm::EdDSA => (EncodingKey::from_ed_der, der(openssl::ed25519(), pkcs8)),
        _ => (
            EncodingKey::from_rsa_der,
            der(openssl::rsa(2048), "rsa -traditional"),
        ),
    };
    let ours = SigningKey::from_der(algorithm, &der).unwrap();
    (theirs(&der), ours)
}

#[test]
fn we_verify_what_jsonwebtoken_encodes() {
    if !openssl::is_there() {
        return;
    }
    for &algorithm in Algorithm::ALL {
        let (theirs, ours) = shared_key(algorithm);
        let header = Header::from(&ours);
        let token = jsonwebtoken::encode(&header, &forge::claims(), &theirs).unwrap();
        let verified = forge::verifier(&ours).verify(&token).unwrap();
        assert_eq!(verified.claims::<Value>().unwrap(), forge::claims());
        assert_eq!(verified.algorithm(), algorithm);
        assert_eq!(verified.kid(), Some(ours.kid()));

        let forged = as_mallory(&token);
        assert!(
            forge::verifier(&ours).verify(&forged).is_err(),
            "{algorithm}"
        );
    }
}

#[test]
fn their_jwk_of_a_private_key_is_ours_of_its_public_half() {
    if !openssl::is_there() {
        return;
    }
    for &algorithm in Algorithm::ALL {
        let (theirs, ours) = shared_key(algorithm);
        let theirs = jwk::Jwk::from_encoding_key(&theirs, algorithm.into()).unwrap();
        let converted = Jwk::try_from(&theirs).unwrap();
        assert_eq!(converted.thumbprint(), ours.kid(), "{algorithm}");
        assert_eq!(converted.algorithm(), Some(algorithm));
        let thumbprint = theirs.thumbprint(jwk::ThumbprintHash::SHA256);
        assert_eq!(thumbprint.unwrap(), ours.kid(), "{algorithm}");
    }
}

#[test]
fn our_keys_are_their_signers_and_verifiers() {
    for &algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let verifying = key.verifying_key();
        let (signer, verifier): (&dyn JwtSigner, &dyn JwtVerifier) = (key, &verifying);
        assert_eq!(signer.algorithm(), algorithm.into());
        assert_eq!(verifier.algorithm(), algorithm.into());

        let signature = signer.try_sign(b"message").unwrap();
        assert!(verifier.verify(b"message", &signature).is_ok());
        assert!(verifier.verify(b"another", &signature).is_err());
        assert!(
            verifier
                .verify(b"message", &signature[1..].to_vec())
                .is_err()
        );
        assert!(verifier.verify(b"message", &Vec::new()).is_err());
    }
}

#[test]
fn algorithms_are_the_same_by_name_and_hmacs_are_none_of_ours() {
    for &ours in Algorithm::ALL {
        let theirs = jsonwebtoken::Algorithm::from(ours);
        assert_eq!(ours.name().parse(), Ok(theirs));
        assert_eq!(Algorithm::try_from(theirs), Ok(ours));
        let family = match ours {
            Algorithm::EdDSA => jsonwebtoken::AlgorithmFamily::Ed,
            _ if is_rsa(ours) => jsonwebtoken::AlgorithmFamily::Rsa,
            _ => jsonwebtoken::AlgorithmFamily::Ec,
        };
        assert!(family.algorithms().contains(&theirs), "{ours}");
    }
    for theirs in jsonwebtoken::AlgorithmFamily::Hmac.algorithms() {
        let error = Algorithm::try_from(*theirs).unwrap_err();
        assert_eq!(
            error.to_string(),
            "alg: is not an asymmetric algorithm known here"
        );
    }
}

#[test]
fn a_header_has_the_type_the_algorithm_and_the_kid() {
    for &algorithm in Algorithm::ALL {
        let header = Header::from(key(algorithm));
        let expected = json!({ "typ": "JWT", "alg": algorithm, "kid": key(algorithm).kid() });
        assert_eq!(serde_json::to_value(header).unwrap(), expected);
    }
}

#[test]
fn keys_and_sets_are_the_same_after_both_ways() {
    let jwks: Vec<Jwk> = Algorithm::ALL
        .iter()
        .map(|algorithm| key(*algorithm).jwk().clone())
        .collect();
    for ours in &jwks {
        let theirs = jwk::Jwk::try_from(ours).unwrap();
        assert_eq!(theirs.common.key_id.as_deref(), ours.kid());
        assert_eq!(
            theirs.common.public_key_use,
            Some(jwk::PublicKeyUse::Signature)
        );
        assert_eq!(&Jwk::try_from(&theirs).unwrap(), ours);
    }
    let ours = JwkSet::new(jwks).unwrap();
    let theirs = jwk::JwkSet::try_from(&ours).unwrap();
    for jwk in ours.keys() {
        assert!(theirs.find(jwk.kid().unwrap()).is_some());
    }
    let back = JwkSet::try_from(&theirs).unwrap();
    assert_eq!(back.keys(), ours.keys());
    assert_eq!(back.left_out(), []);
}

#[test]
fn what_is_none_of_ours_is_refused_or_left_out_by_name() {
    let jwk = |json: &Value| serde_json::from_value::<jwk::Jwk>(json.clone()).unwrap();
    let good = serde_json::to_value(key(Algorithm::EdDSA).jwk()).unwrap();
    let mut odd_keys = Vec::new();
    for (odd, error) in [
        (
            json!({ "kty": "oct", "alg": "HS256", "k": "AyM1SysPpbyDfgZld3umj1qz" }),
            "k: is private and must not be published",
        ),
        (
            json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }),
            "crv: is not P-256 or P-384",
        ),
        (
            json!({ "kty": "RSA", "use": "enc", "n": "AA", "e": "AQAB" }),
            "use: is not sig",
        ),
        (
            json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }),
            "kty: an RSA key under 2048 bits",
        ),
    ] {
        let refused = Jwk::try_from(&jwk(&odd)).unwrap_err();
        assert_eq!(refused.to_string(), error);
        odd_keys.push(odd);
    }
    let odd = odd_keys.len();
    odd_keys.push(good);
    let theirs: jwk::JwkSet = serde_json::from_value(json!({ "keys": odd_keys })).unwrap();
    let set = JwkSet::try_from(&theirs).unwrap();
    assert_eq!(set.keys(), [key(Algorithm::EdDSA).jwk().clone()]);
    assert_eq!(set.left_out().len(), odd);
}
