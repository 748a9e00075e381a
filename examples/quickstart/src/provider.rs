//! A demo identity provider: issues access tokens and publishes the key to verify them with.

use axum::{Router, extract::State, http::StatusCode, routing::post};
use serde_json::json;
use std::sync::Arc;
use tower_jwks::{Algorithm, Clock, ConfigError, JwksLayer, KeyRing, KeysUnavailable, SystemClock};
use uuid::Uuid;

/// An identity provider with a new key, whose name is its URL: `POST /token` gives an access token,
/// and `GET /.well-known/openid-configuration` says where the key is.
pub(crate) fn app(url: &str) -> Result<Router, ConfigError> {
    let keys = KeyRing::generate(Algorithm::ES256)?;
    let provider = Provider {
        issuer: url.into(),
        keys: keys.clone(),
    };
    Ok(Router::new()
        .route("/token", post(token))
        .with_state(provider)
        .layer(JwksLayer::new(keys).with_issuer_metadata(url)?))
}

/// A real provider asks who is asking, and answers with JSON.
async fn token(State(provider): State<Provider>) -> Result<String, StatusCode> {
    provider
        .issue()
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

#[derive(Clone)]
struct Provider {
    issuer: Arc<str>,
    keys: KeyRing,
}

impl Provider {
    /// An access token with the claims that WSO2's Asgardeo gives a user's token.
    fn issue(&self) -> Result<String, KeysUnavailable> {
        let now = SystemClock.now().as_secs();
        let claims = json!({
            "iss": &*self.issuer,
            "sub": "11f53c32-f8ac-4810-bb79-615b2184baf5",
            "aud": "orders",
            "iat": now,
            "exp": now + 3600,
            "jti": Uuid::new_v4().to_string(),
            "azp": "IMJB5ZiR1dHQYBdiMIRAGis1WToa",
            "client_id": "IMJB5ZiR1dHQYBdiMIRAGis1WToa",
            "scope": "email openid profile",
            "email": "testmail@example.com",
            "org_id": "b554e001-761c-4d3a-a7a6-a61d73d34221",
            "org_name": "test",
        });
        self.keys
            .signing_key()?
            .sign_jws("at+jwt", claims.to_string().as_bytes())
    }
}
