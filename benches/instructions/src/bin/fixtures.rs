//! Makes the tokens anew, and the keys to verify them with: `cargo run --bin fixtures`, in this directory.

use bench_kit::{ISSUER, claims};
use std::fs;
use tower_jwks::{Algorithm, JwkSet, SigningKey};

/// The end of the year 2099.
const EXPIRY: u64 = 4_102_444_799;
const ISSUED: u64 = 1_750_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut jwks = Vec::new();
    for (algorithm, name) in [(Algorithm::RS256, "rs256"), (Algorithm::ES256, "es256")] {
        let key = SigningKey::generate(algorithm)?.with_kid(name)?;
        let claims = claims(ISSUER, 1, ISSUED, EXPIRY);
        let token = key.sign_jws("at+jwt", claims.as_bytes())?;
        fs::write(format!("fixtures/{name}.jwt"), token)?;
        jwks.push((&key).into());
    }
    fs::write("fixtures/jwks.json", JwkSet::new(jwks)?.json())?;
    Ok(())
}
