//! Who calls, and the provider that their tokens are from.

use crate::Failure;
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use tower_jwks::{Algorithm, Clock, JwkSet, SigningKey, SystemClock};

/// As many tokens are sent again and again.
const REGULARS: u64 = 20;
const ISSUER: &str = "https://idp.example.com";
const AUDIENCE: &str = "orders";
const LIFE: u64 = 3600;

/// Every second token is a new one, for which a backend JWT has to be made; the others return, so that a
/// gateway can have one that it has made before.
pub(crate) struct Callers {
    key: SigningKey,
    regulars: Vec<String>,
    number: AtomicU64,
}

impl Callers {
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut callers = Self {
            key: SigningKey::generate(Algorithm::ES256)?,
            regulars: Vec::new(),
            number: AtomicU64::new(0),
        };
        for number in 0..REGULARS {
            let token = callers.sign(&format!("regular-{number}"))?;
            callers.regulars.push(token);
        }
        Ok(callers)
    }

    pub(crate) const fn issuer(&self) -> &'static str {
        ISSUER
    }

    pub(crate) const fn audience(&self) -> &'static str {
        AUDIENCE
    }

    pub(crate) fn jwks(&self) -> Result<String, Failure> {
        Ok(JwkSet::new([self.key.jwk().clone()])?.json().to_owned())
    }

    pub(crate) fn token(&self) -> Result<String, Failure> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let regular = usize::try_from(number / 2 % REGULARS)?;
        match self.regulars.get(regular) {
            Some(token) if number % 2 == 1 => Ok(token.clone()),
            _ => self.sign(&format!("passing-{number}")),
        }
    }

    fn sign(&self, subject: &str) -> Result<String, Failure> {
        let now = SystemClock.now().as_secs();
        let claims = json!({
            "iss": ISSUER,
            "sub": subject,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + LIFE,
            "jti": subject,
            "client_id": "orders-client",
        });
        Ok(self.key.sign_jws("at+jwt", claims.to_string().as_bytes())?)
    }
}
