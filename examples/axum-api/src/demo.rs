//! Stands in for an identity provider: a key, and the tokens it signs.

use serde_json::json;
use tower_backend_jwt::Issuer;
use tower_jwks::{Algorithm, Clock, ConfigError, JwkSet, KeysUnavailable, SigningKey, SystemClock};

const NAME: &str = "https://idp.example.com";

pub(crate) struct Provider {
    key: SigningKey,
}

impl Provider {
    pub(crate) fn new() -> Result<Self, ConfigError> {
        let key = SigningKey::generate(Algorithm::EdDSA)?;
        Ok(Self { key })
    }

    /// What the API has to know of it. Of a real one the URL is enough, as `--issuer` shows.
    pub(crate) fn issuer(&self) -> Result<Issuer, ConfigError> {
        Issuer::from_jwks(NAME, JwkSet::new([self.key.jwk().clone()])?)
            .audience("orders")
            .build()
    }

    /// An access token of Alice's, with these scopes.
    pub(crate) fn token(&self, scope: &str) -> Result<String, KeysUnavailable> {
        let now = SystemClock.now().as_secs();
        let claims = json!({
            "iss": NAME,
            "sub": "alice",
            "aud": "orders",
            "iat": now,
            "exp": now + 3600,
            "client_id": "shop-app",
            "scope": scope,
            "name": "Alice",
            "email": "alice@example.com",
        });
        self.key.sign_jws("at+jwt", claims.to_string().as_bytes())
    }
}
