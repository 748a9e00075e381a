//! Access tokens, as a key manager of WSO2's makes them.

use crate::Fault;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tower_jwks::{Algorithm, Clock, JwkSet, SigningKey, SystemClock};

pub(crate) const AUDIENCE: &str = "orders";

/// An identity provider: its name, and a key.
#[derive(Debug)]
pub(crate) struct Provider {
    name: String,
    key: SigningKey,
}

impl Provider {
    pub(crate) fn new(name: impl Into<String>, algorithm: Algorithm) -> Result<Self, Fault> {
        Ok(Self {
            name: name.into(),
            key: SigningKey::generate(algorithm)?,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The public key.
    pub(crate) fn jwks(&self) -> Result<JwkSet, Fault> {
        Ok(JwkSet::new([self.key.jwk().clone()])?)
    }

    /// Microseconds that a signature and its verification take, without anything else: what the figures of another
    /// machine can be compared by.
    pub(crate) fn bare_us(&self) -> Result<(f64, f64), Fault> {
        const SIGNATURES: u32 = 100;
        const VERIFICATIONS: u32 = 1_000;
        let message = [b'a'; 1_300];
        let start = Instant::now();
        for _ in 1..SIGNATURES {
            self.key.sign(&message)?;
        }
        let signature = self.key.sign(&message)?;
        let sign = start.elapsed() / SIGNATURES;
        let key = self.key.verifying_key();
        let start = Instant::now();
        for _ in 0..VERIFICATIONS {
            key.verify(&message, signature.as_ref())?;
        }
        let verify = start.elapsed() / VERIFICATIONS;
        Ok((sign.as_secs_f64() * 1e6, verify.as_secs_f64() * 1e6))
    }

    /// The token of this number: of a user of its own, valid for an hour. `padding` bytes are in its claims besides.
    pub(crate) fn token(&self, number: usize, padding: usize) -> Result<String, Fault> {
        let claims = claims(&self.name, number, padding);
        Ok(self.key.sign_jws("at+jwt", claims.as_bytes())?)
    }

    /// So many different tokens of the everyday size, made by this many threads.
    pub(crate) fn tokens(&self, count: usize, threads: usize) -> Result<Arc<[String]>, Fault> {
        let next = AtomicUsize::new(0);
        let start = Instant::now();
        let made = thread::scope(|scope| {
            let makers: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| self.share(count, &next)))
                .collect();
            while makers.iter().any(|maker| !maker.is_finished()) {
                thread::sleep(Duration::from_millis(50));
                if start.elapsed() > Duration::from_secs(1) {
                    let made = next.load(Ordering::Relaxed).min(count);
                    eprint!("\rsigning tokens: {made} of {count}");
                }
            }
            let shares = makers.into_iter().map(|maker| maker.join());
            shares.collect::<Result<Vec<_>, _>>()
        });
        if start.elapsed() > Duration::from_secs(1) {
            eprintln!("\rsigning tokens: {count} of {count}");
        }
        let shares = made.map_err(|_| "a thread that signs tokens panicked")?;
        let tokens: Result<Vec<_>, _> = shares.into_iter().collect();
        Ok(tokens?.into_iter().flatten().collect())
    }

    fn share(&self, count: usize, next: &AtomicUsize) -> Result<Vec<String>, Fault> {
        let mut share = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(share);
            }
            share.push(self.token(number, EVERYDAY)?);
        }
    }
}

/// Bytes of claims that bring an RS256 token to an everyday 1.6 KB.
pub(crate) const EVERYDAY: usize = 345;

/// The token with a signature that nobody has made: header and claims are sound, and the key is known.
pub(crate) fn forged(token: &str, number: usize) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or((token, ""));
    // In the range of the key, so that it is not refused before the exponentiation.
    let garbage: Vec<u8> = (0..signature.len() * 3 / 4)
        .map(|index| match index {
            0 => 0,
            _ => (index.wrapping_mul(31) ^ number.wrapping_mul(17) ^ (number >> 8)) as u8,
        })
        .collect();
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(garbage))
}

fn claims(issuer: &str, number: usize, padding: usize) -> String {
    let now = SystemClock.now().as_secs();
    format!(
        r#"{{"sub":"11f53c32-f8ac-4810-bb79-{number:012x}","aut":"APPLICATION_USER","iss":"{issuer}","client_id":"IMJB5ZiR1dHQYBdiMIRAGis1WToa","aud":["{AUDIENCE}","IMJB5ZiR1dHQYBdiMIRAGis1WToa"],"nbf":{now},"azp":"IMJB5ZiR1dHQYBdiMIRAGis1WToa","org_id":"b554e001-761c-4d3a-a7a6-a61d73d34221","scope":"email openid profile orders:read orders:write","exp":{exp},"org_name":"test","iat":{now},"email":"testmail@example.com","jti":"69558555-d386-4a81-9ca0-{number:012x}","groups":["{groups}"]}}"#,
        exp = now + 3600,
        groups = groups(padding),
    )
}

/// Names of groups, `length` bytes of them.
fn groups(length: usize) -> String {
    let mut groups = "engineering\",\"".repeat(length / 14);
    groups.push_str(&"x".repeat(length % 14));
    groups.push_str("all");
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower_backend_jwt::{Issuer, RefusalReason, Verifier};

    #[test]
    fn tokens_are_valid_different_and_of_the_everyday_size_and_forged_ones_are_refused() {
        let provider = Provider::new("https://idp.example.com", Algorithm::RS256).unwrap();
        let issuer = Issuer::from_jwks(provider.name(), provider.jwks().unwrap())
            .audience(AUDIENCE)
            .build()
            .unwrap();
        let verifier = Verifier::builder().issuer(issuer).build().unwrap();
        let tokens = provider.tokens(4, 2).unwrap();
        for (number, token) in tokens.iter().enumerate() {
            assert!(verifier.verify(token).is_ok());
            assert!((1550..=1650).contains(&token.len()), "{}", token.len());
            assert!(!tokens[..number].contains(token));
            let refusal = verifier.verify(&forged(token, number)).unwrap_err();
            assert_eq!(refusal.reason(), RefusalReason::InvalidSignature);
        }
        for padding in [0, 1, 13, 14, 5000] {
            assert!(
                verifier
                    .verify(&provider.token(1, padding).unwrap())
                    .is_ok()
            );
        }
    }
}
