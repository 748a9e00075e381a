//! An identity provider: a key, and tokens signed with it.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};
use tower_jwks::{Algorithm, Clock, JwkSet, SigningKey, SystemClock};

pub(crate) const ISSUER: &str = "https://idp.example.com";
pub(crate) const AUDIENCE: &str = "test-audience";

#[derive(Debug)]
pub(crate) struct Idp {
    key: SigningKey,
}

impl Idp {
    pub(crate) fn new() -> Self {
        Self::with(SigningKey::generate(Algorithm::ES256).unwrap())
    }

    pub(crate) fn with(key: SigningKey) -> Self {
        Self { key }
    }

    pub(crate) fn jwks(&self) -> String {
        JwkSet::new([self.key.jwk().clone()])
            .unwrap()
            .json()
            .to_owned()
    }

    /// A good token, with these claims besides or instead.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let now = SystemClock.now().as_secs();
        let mut all = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "iat": now, "exp": now + 600, "azp": "client-1",
        });
        let changes = claims.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(changes);
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.key.kid() });
        let message = format!("{}.{}", segment(&header), segment(&all));
        let signature = self.key.sign(message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn segment(json: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
}

/// A part of a JWT, decoded.
pub(crate) fn part(jwt: &str, index: usize) -> Value {
    let part = jwt.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Whether the JWT is signed with one of the keys of a JWK Set.
pub(crate) fn verifies(jwt: &str, jwks: &[u8], algorithm: Algorithm) -> bool {
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let kid = part(jwt, 0)["kid"].as_str().unwrap().to_owned();
    let set = JwkSet::parse(jwks).unwrap();
    let key = set
        .keys()
        .iter()
        .find(|key| key.kid() == Some(&kid))
        .unwrap();
    let key = tower_jwks::VerifyingKey::from_jwk(algorithm, key).unwrap();
    key.verify(message.as_bytes(), &signature).is_ok()
}
