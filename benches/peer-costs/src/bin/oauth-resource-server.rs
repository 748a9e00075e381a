//! oauth-resource-server; its jsonwebtoken is 9, and verifies with ring.

use axum::body::Body;
use bench_kit::{AUDIENCE, ISSUER};
use oauth_resource_server::{KeyNaming, OAuthConfig, OAuthValidator, http_layer::HttpAuthLayer};
use peer_costs::{Given, router, run, validating};
use std::{process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    run(async |given: &Given| {
        let config = OAuthConfig {
            enabled: true,
            issuer: ISSUER.to_owned(),
            // Never asked: the keys are given.
            jwks_uri: Some("https://idp.example.com/keys".to_owned()),
            audience: AUDIENCE.to_owned(),
            resource: "https://api.example.com".to_owned(),
            required_scope: Some("orders:read".to_owned()),
            ..OAuthConfig::default()
        }
        .resolve(KeyNaming::Dotted("oauth"))
        .expect("sound settings")
        .expect("it is enabled");
        let validator = OAuthValidator::builder(&config)
            .initial_jwks(&given.provider.jwks())
            .build()
            .expect("a key set");
        let layer = HttpAuthLayer::builder()
            .oauth(Arc::new(validator))
            .build()
            .expect("there are credentials to take");
        vec![validating::<_, Body, _>(
            "peer-oauth-resource-server-ring",
            router().layer(layer),
            given,
        )]
    })
}
