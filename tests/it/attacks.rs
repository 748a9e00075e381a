//! Tokens that must not pass, and what is said of them.

mod claims;
mod header;
mod issuers;
mod text;

use serde_json::{Value, json};
use tests::{
    forge::{self, ISSUER, Token, compact, encode, issuer_builder, verifier_of},
    keys::{key, new_key},
    time::{NOW, clock},
    upstream::signed,
};
use tower_backend_jwt::{Issuer, RefusalReason as R, VerifiedToken, Verifier};
use tower_jwks::{Algorithm, JwkSet, VerifyingKey};

const ALGORITHM: Algorithm = Algorithm::EdDSA;

fn verify(token: &str) -> Result<VerifiedToken, R> {
    let verifier = forge::verifier(key(ALGORITHM));
    verifier.verify(token).map_err(|refusal| refusal.reason())
}

fn good() -> String {
    Token::of(key(ALGORITHM)).sign()
}

/// Each token is refused, for this reason.
fn refused(reason: R, tokens: impl IntoIterator<Item = String>) {
    for token in tokens {
        let shown = &token[..token.len().min(120)];
        assert_eq!(verify(&token).err(), Some(reason), "{shown}");
    }
}
