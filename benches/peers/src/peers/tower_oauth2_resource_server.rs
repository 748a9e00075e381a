use crate::{
    peer::{Peer, Setup, oneshot, router, text},
    provider::Provider,
    token::AUDIENCE,
};
use axum::Router;
use http::StatusCode;
use std::time::Duration;
use tower_oauth2_resource_server::{server::OAuth2ResourceServer, tenant::TenantConfiguration};

pub(crate) struct TowerOAuth2ResourceServer(Router);

impl Peer for TowerOAuth2ResourceServer {
    const NAME: &'static str = "tower-oauth2-resource-server 0.12.5";
    const FETCHES: &'static str = "each 60 s; no timeout";
    const HELD: &'static str = "nothing";
    const ON_DEMAND: bool = false;

    async fn start(provider: &Provider, setup: Setup) -> Result<Self, String> {
        // By discovery: with the address of the keys given it would not check `iss`.
        let mut tenant = TenantConfiguration::builder(provider.url()).audiences(&[AUDIENCE]);
        if setup == Setup::Due {
            tenant = tenant.jwks_refresh_interval(Duration::from_secs(1));
        }
        let server = <OAuth2ResourceServer>::builder()
            .add_tenant(tenant.build().await.map_err(text)?)
            .build()
            .await
            .map_err(text)?;
        Ok(Self(router().layer(server.into_layer())))
    }

    async fn send(&self, token: &str) -> StatusCode {
        oneshot(&self.0, token).await
    }
}
