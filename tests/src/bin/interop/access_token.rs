use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use tower_backend_jwt::Issuer;
use tower_jwks::{Algorithm, Clock, Jwk, JwkSet, SigningKey, SystemClock};

use crate::{Failure, object};

const ISSUER: &str = "https://idp.example.com";
const AUDIENCE: &str = "orders";

/// Who sends the requests that bring the gateway to mint.
pub(crate) struct IdentityProvider {
    key: SigningKey,
}

impl IdentityProvider {
    pub(crate) fn new() -> Result<Self, Failure> {
        let key = SigningKey::generate(Algorithm::ES256)?;
        Ok(Self { key })
    }

    pub(crate) fn issuer(&self) -> Result<Issuer, Failure> {
        let keys = JwkSet::new([Jwk::from(&self.key)])?;
        Ok(Issuer::from_jwks(ISSUER, keys).audience(AUDIENCE).build()?)
    }

    pub(crate) fn token(&self) -> Result<String, Failure> {
        let now = SystemClock.now();
        let key = &self.key;
        let header = json!({ "alg": key.algorithm(), "typ": "at+jwt", "kid": key.kid() });
        let mut claims = object(json!({
            "iss": ISSUER,
            "sub": "alice",
            "aud": AUDIENCE,
            "iat": now.as_secs(),
            "exp": now.saturating_add(Duration::from_secs(600)).as_secs(),
            "jti": "6b0f1f0c",
            "azp": "shop",
            "scope": "orders:read orders:write",
            "email": "alice@example.com",
        }));
        claims.extend(private_claims());
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let message = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(Value::Object(claims).to_string().as_bytes())
        );
        let signature = key.sign(message.as_bytes())?;
        Ok(format!("{message}.{}", encode(signature.as_ref())))
    }
}

/// Claims of no standard, which WSO2's gateways copy. Parsers differ in numbers most.
pub(crate) fn private_claims() -> Map<String, Value> {
    object(json!({
        "org": { "name": "Ünïon", "units": [1, 2.5, null, true] },
        "http://wso2.org/claims/role": ["admin", "Internal/everyone"],
        "https://example.com/größe/☃": { "": [], "a/b": { "~1": [[{}], ["𝄞"]] } },
        "numbers": [0, -1, 9_007_199_254_740_993_u64, i64::MIN, 0.1, 1.5e-7, 1e21],
        "text": "\"\\\u{1}\n\u{2028}</script> <<???>>",
    }))
}
