use crate::{
    peer::{Peer, Setup, oneshot, router, text},
    provider::Provider,
    token::AUDIENCE,
};
use axum::Router;
use http::StatusCode;
use oauth_resource_server::{KeyNaming, OAuthConfig, OAuthValidator, http_layer::HttpAuthLayer};
use std::sync::Arc;

pub(crate) struct OAuthResourceServer(Router);

impl Peer for OAuthResourceServer {
    const NAME: &'static str = "oauth-resource-server 0.4.1";
    const FETCHES: &'static str =
        "each 3600 s; at an unknown `kid`, 60 s after the last attempt; timeout 10 s";
    const HELD: &'static str = "nothing";
    const ON_DEMAND: bool = true;

    async fn start(provider: &Provider, setup: Setup) -> Result<Self, String> {
        let config = OAuthConfig {
            enabled: true,
            issuer: provider.url().to_owned(),
            jwks_uri: Some(provider.jwks_uri()),
            audience: AUDIENCE.to_owned(),
            resource: "https://api.example.com".to_owned(),
            required_scope: Some("orders:read".to_owned()),
            ..OAuthConfig::default()
        }
        .resolve(KeyNaming::Dotted("oauth"))
        .map_err(text)?
        .ok_or("it is enabled")?;

        let mut builder = OAuthValidator::builder(&config);
        if setup == Setup::Due {
            // Keys given so do not count as a fetch, so that the next unknown `kid` may fetch.
            builder = builder.initial_jwks(&provider.keys());
        }
        let validator = Arc::new(builder.build().map_err(text)?);
        if setup == Setup::Fresh {
            drop(validator.spawn_background_refresh());
        }
        let layer = HttpAuthLayer::builder()
            .oauth(validator)
            .build()
            .map_err(text)?;
        Ok(Self(router().layer(layer)))
    }

    async fn send(&self, token: &str) -> StatusCode {
        oneshot(&self.0, token).await
    }
}
