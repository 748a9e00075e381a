//! The service as it was: it signs tokens, and knows nothing of how its keys are published.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header::CACHE_CONTROL},
    response::IntoResponse,
    routing::post,
};
use serde_json::json;
use std::sync::Arc;
use tower_jwks::{Clock, KeyRing, KeysUnavailable, SystemClock};

const LIFETIME: u64 = 300;

#[derive(Clone)]
struct Service {
    keys: KeyRing,
    issuer: Arc<str>,
}

pub(crate) fn router(keys: KeyRing, issuer: &str) -> Router {
    let issuer = issuer.into();
    Router::new()
        .route("/token", post(token))
        .with_state(Service { keys, issuer })
}

/// Who may have a token is the service's own business. Here it is everybody.
async fn token(State(service): State<Service>) -> Result<impl IntoResponse, StatusCode> {
    let token = service
        .issue("demo-client")
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let answer = json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": LIFETIME,
    });
    Ok(([(CACHE_CONTROL, "no-store")], Json(answer)))
}

impl Service {
    fn issue(&self, client: &str) -> Result<String, KeysUnavailable> {
        let now = SystemClock.now().as_secs();
        let claims = json!({
            "iss": &*self.issuer,
            "sub": client,
            "aud": "orders",
            "iat": now,
            "exp": now + LIFETIME,
        });
        self.keys
            .signing_key()?
            .sign_jws("JWT", claims.to_string().as_bytes())
    }
}
