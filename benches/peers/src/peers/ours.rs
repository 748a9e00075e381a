use crate::{
    peer::{Peer, Setup, oneshot, router, text},
    provider::Provider,
    token::AUDIENCE,
};
use axum::Router;
use http::StatusCode;
use tower_backend_jwt::{AccessTokenLayer, Issuer};

pub(crate) struct Ours(Router);

impl Peer for Ours {
    const NAME: &'static str = "tower-backend-jwt";
    const FETCHES: &'static str = "ahead of the end the provider gives them, at most each 60 s; at an unknown `kid`, 4 in a row and one in 5 s; timeout 5 s";
    const HELD: &'static str = "24 hours beyond their lifetime";
    const ON_DEMAND: bool = true;

    // Nothing to set up for `Setup::Due`: it is to fetch at the first unknown `kid` after the start.
    async fn start(provider: &Provider, _: Setup) -> Result<Self, String> {
        let issuer = Issuer::jwks(provider.url(), provider.jwks_uri())
            .audience(AUDIENCE)
            .build()
            .map_err(text)?;
        Ok(Self(router().layer(AccessTokenLayer::new(issuer))))
    }

    async fn send(&self, token: &str) -> StatusCode {
        oneshot(&self.0, token).await
    }
}
