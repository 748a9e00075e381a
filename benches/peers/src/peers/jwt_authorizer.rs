use crate::{
    peer::{Peer, Setup, request, text},
    provider::Provider,
    token::AUDIENCE,
};
use axum_07::{Router, body::Body, routing::get};
use http::StatusCode;
use jwt_authorizer::{
    IntoLayer as _, JwtAuthorizer as Builder, Refresh, RegisteredClaims, Validation,
};
use std::time::Duration;
use tower::ServiceExt as _;

pub(crate) struct JwtAuthorizer(Router);

impl Peer for JwtAuthorizer {
    const NAME: &'static str = "jwt-authorizer 0.15.0";
    const FETCHES: &'static str =
        "at an unknown `kid`, 600 s after the last success and 10 s after a failure";
    const HELD: &'static str = "nothing";
    const ON_DEMAND: bool = true;

    async fn start(provider: &Provider, setup: Setup) -> Result<Self, String> {
        let mut builder = Builder::<RegisteredClaims>::from_jwks_url(&provider.jwks_uri())
            .validation(
                Validation::new()
                    .iss(&[provider.url()])
                    .aud(&[AUDIENCE])
                    .nbf(true),
            );
        if setup == Setup::Due {
            builder = builder.refresh(Refresh {
                refresh_interval: Duration::from_secs(1),
                ..Refresh::default()
            });
        }
        let authorizer = builder.build().await.map_err(text)?;
        let router = Router::new()
            .route("/orders", get(|| async { AUDIENCE }))
            .layer(authorizer.into_layer());
        Ok(Self(router))
    }

    async fn send(&self, token: &str) -> StatusCode {
        let Ok(response) = self.0.clone().oneshot(request::<Body>(token)).await;
        response.status()
    }
}
