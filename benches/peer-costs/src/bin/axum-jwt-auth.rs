//! axum-jwt-auth, an extractor, with the cryptography that it asks for, and with aws-lc-rs forced upon it.

use axum::{Router, body::Body, extract::FromRef, routing::get};
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use bench_kit::{AUDIENCE, ISSUER};
use http::StatusCode;
use jsonwebtoken_10::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use peer_costs::{Given, run, validating};
use serde_json::Value;
use std::{process::ExitCode, sync::Arc};

const NAME: &str = if cfg!(feature = "aws-lc-rs") {
    "peer-axum-jwt-auth-aws-lc-rs"
} else {
    "peer-axum-jwt-auth-rust-crypto"
};

#[derive(Clone, FromRef)]
struct State {
    decoder: Decoder<Value>,
}

fn main() -> ExitCode {
    run(async |given: &Given| {
        #[cfg(feature = "aws-lc-rs")]
        jsonwebtoken_10::crypto::aws_lc::DEFAULT_PROVIDER
            .install_default()
            .expect("nothing was verified yet");
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[ISSUER]);
        validation.validate_nbf = true;
        let keys: JwkSet = serde_json::from_str(&given.provider.jwks()).expect("a key set");
        let keys = keys.keys.iter();
        let decoder = LocalDecoder::builder()
            .keys(
                keys.map(|key| DecodingKey::from_jwk(key).expect("a key"))
                    .collect(),
            )
            .validation(validation)
            .build()
            .expect("sound settings");
        let router: Router = Router::new()
            .route("/orders", get(async |_: Claims<Value>| StatusCode::OK))
            .with_state(State {
                decoder: Arc::new(decoder),
            });
        vec![validating::<_, Body, _>(NAME, router, given)]
    })
}
