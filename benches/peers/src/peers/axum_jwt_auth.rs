use crate::{
    peer::{Peer, Setup, oneshot, text},
    provider::Provider,
    token::AUDIENCE,
};
use axum::{Router, extract::FromRef, routing::get};
use axum_jwt_auth::{Claims, Decoder, RemoteJwksDecoder, RemoteJwksDecoderConfig};
use http::StatusCode;
use jsonwebtoken_10::{Algorithm, Validation};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

pub(crate) struct AxumJwtAuth(Router);

#[derive(Clone, FromRef)]
struct State {
    decoder: Decoder<Value>,
}

impl Peer for AxumJwtAuth {
    const NAME: &'static str = "axum-jwt-auth 0.7.0";
    const FETCHES: &'static str = "each 3600 s; 3 attempts 1 s apart";
    const HELD: &'static str = "nothing";
    const ON_DEMAND: bool = false;

    async fn start(provider: &Provider, setup: Setup) -> Result<Self, String> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[provider.url()]);
        let mut config = RemoteJwksDecoderConfig::builder();
        if setup == Setup::Due {
            config = config.cache_duration(Duration::from_secs(1));
        }
        let decoder = RemoteJwksDecoder::builder()
            .jwks_url(provider.jwks_uri())
            .validation(validation)
            .config(config.build())
            .build()
            .map_err(text)?;
        decoder.initialize().await.map_err(text)?;
        let router = Router::new()
            .route("/orders", get(async |_: Claims<Value>| AUDIENCE))
            .with_state(State {
                decoder: Arc::new(decoder),
            });
        Ok(Self(router))
    }

    async fn send(&self, token: &str) -> StatusCode {
        oneshot(&self.0, token).await
    }
}
