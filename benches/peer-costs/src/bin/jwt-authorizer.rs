//! jwt-authorizer, which is for axum 0.7; its jsonwebtoken is 9, and verifies with ring.

use axum_07::{Router, body::Body, routing::get};
use bench_kit::{AUDIENCE, ISSUER};
use http::StatusCode;
use jwt_authorizer::{IntoLayer as _, JwtAuthorizer, RegisteredClaims, Validation};
use peer_costs::{Given, run, validating};
use std::process::ExitCode;

fn main() -> ExitCode {
    run(async |given: &Given| {
        let validation = Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]).nbf(true);
        let builder = JwtAuthorizer::<RegisteredClaims>::from_jwks_text(&given.provider.jwks());
        let authorizer = builder.validation(validation).build().await;
        let layer = authorizer.expect("sound settings").into_layer();
        let router = Router::new()
            .route("/orders", get(|| async { StatusCode::OK }))
            .layer(layer);
        vec![validating::<_, Body, _>(
            "peer-jwt-authorizer-ring",
            router,
            given,
        )]
    })
}
