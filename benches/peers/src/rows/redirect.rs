//! Are keys taken from where a redirect leads?

use crate::{
    peer::{Peer, Setup},
    provider::{Behavior, Provider},
    token::{SigningKey, jwks},
    trial::name,
};
use http::StatusCode;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const TIME_TO_START: Duration = Duration::from_secs(3);

pub(crate) async fn row<P: Peer>() -> Result<String, String> {
    let key = SigningKey::generate("first");
    let provider = Provider::start(jwks(&[key.jwk()])).await;
    provider.set(Behavior::Redirect);
    let peer = P::start(&provider, Setup::Fresh)
        .await
        .map_err(|_| "does not start")?;
    let token = key.token(provider.url());
    let started = Instant::now();
    let mut status = None;
    while status != Some(StatusCode::OK) && started.elapsed() < TIME_TO_START {
        status = timeout(TIME_TO_START, peer.send(&token)).await.ok();
        sleep(Duration::from_millis(100)).await;
    }
    let followed = match provider.redirected() {
        0 => "not followed",
        _ => "followed",
    };
    Ok(format!("{followed}; {}", name(status)))
}
