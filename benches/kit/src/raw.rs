//! The bare cryptography: aws-lc-rs itself, with keys that are prepared, over the bytes that others sign and verify.

use crate::Case;
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, ParsedPublicKey,
        RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use std::hint::black_box;

/// Verifies what is signed in these tokens, one after the other; text and base64 apart.
pub fn raw_verify(name: &'static str, key: ParsedPublicKey, tokens: &[String]) -> Case {
    let messages: Vec<(Vec<u8>, Vec<u8>)> = tokens
        .iter()
        .map(|token| {
            let (signed, signature) = token.rsplit_once('.').expect("a JWS has two dots");
            let signature = BASE64.decode(signature).expect("a JWS is base64url");
            (signed.as_bytes().to_vec(), signature)
        })
        .collect();
    let mut next = (0..messages.len()).cycle();
    Case::new(name, move || {
        let (signed, signature) = &messages[next.next().expect("it has no end")];
        key.verify_sig(black_box(signed), black_box(signature))
            .expect("just signed");
    })
}

/// Signs what is signed in this token, anew each time, with the key in this PKCS #8. The algorithm is that of the
/// name's end.
///
/// # Panics
///
/// The name ends with no algorithm that is known here, or the key is none of it.
pub fn raw_sign(name: &'static str, private_key_der: &[u8], token: &str) -> Case {
    let (signed, _) = token.rsplit_once('.').expect("a JWS has two dots");
    let message = signed.as_bytes().to_vec();
    let random = SystemRandom::new();
    match name.rsplit('-').next() {
        Some("rs256") => {
            let key = RsaKeyPair::from_pkcs8(private_key_der).expect("an RSA key");
            let mut signature = vec![0; key.public_modulus_len()];
            Case::new(name, move || {
                key.sign(
                    &RSA_PKCS1_SHA256,
                    &random,
                    black_box(&message),
                    &mut signature,
                )
                .expect("the buffer is long enough");
                black_box(&signature);
            })
        }
        Some("es256") => {
            let parsed =
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private_key_der);
            let key = parsed.expect("a P-256 key");
            Case::new(name, move || {
                black_box(key.sign(&random, black_box(&message)).expect("it signs"));
            })
        }
        Some("eddsa") => {
            let key = Ed25519KeyPair::from_pkcs8(private_key_der).expect("an Ed25519 key");
            Case::new(name, move || {
                black_box(key.sign(black_box(&message)));
            })
        }
        _ => panic!("{name} ends with no algorithm"),
    }
}
