//! Keys and tokens of the provider, and tokens that only look like it.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const AUDIENCE: &str = "orders";

/// RS256 with 2048 bits: what every peer takes.
pub(crate) struct SigningKey {
    kid: &'static str,
    pair: RsaKeyPair,
}

impl SigningKey {
    pub(crate) fn generate(kid: &'static str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("aws-lc-rs generates RSA keys");
        Self { kid, pair }
    }

    pub(crate) fn jwk(&self) -> Value {
        let public = self.pair.public_key();
        let number = |bytes: &[u8]| BASE64.encode(bytes);
        json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        })
    }

    /// A token every peer accepts.
    pub(crate) fn token(&self, issuer: &str) -> String {
        let signed = unsigned(self.kid, issuer);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .expect("a buffer of the modulus' length is enough");
        format!("{signed}.{}", BASE64.encode(signature))
    }
}

/// A JWK set.
pub(crate) fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// The `n`th token of somebody who has no key: a `kid` of its own, the rest plausible, and garbage
/// for a signature.
pub(crate) fn forged(n: usize, issuer: &str) -> String {
    let signed = unsigned(&format!("forged-{n}"), issuer);
    format!("{signed}.{}", BASE64.encode([0x5a; 256]))
}

// The peers know no other time than this.
#[allow(clippy::disallowed_methods)]
fn unsigned(kid: &str, issuer: &str) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_secs();
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": kid });
    let claims = json!({
        "iss": issuer, "sub": "alice", "aud": AUDIENCE, "client_id": "shop", "scope": "orders:read",
        "iat": now, "nbf": now, "exp": now + 3600, "jti": "1",
    });
    let part = |value: Value| BASE64.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}
