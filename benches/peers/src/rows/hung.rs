//! Does a request whose key is at hand wait for a fetch it does not need?

use crate::{
    peer::{Peer, Setup},
    provider::Behavior,
    trial::{PATIENCE, Trial, name},
};
use http::StatusCode;
use std::time::{Duration, Instant};

const REQUESTS: usize = 50;

pub(crate) async fn known_key<P: Peer>() -> Result<String, String> {
    let trial = Trial::<P>::start(Setup::Due).await?;
    let before = slowest(&trial).await;
    trial.provider.set(Behavior::Hang);
    trial.provoke(trial.provider.fetches()).await?;
    let meanwhile = slowest(&trial).await;
    Ok(format!("{before} → {meanwhile}"))
}

async fn slowest<P: Peer>(trial: &Trial<P>) -> String {
    let mut slowest = Duration::ZERO;
    for _ in 0..REQUESTS {
        let started = Instant::now();
        match trial.send(&trial.known).await {
            Some(StatusCode::OK) => slowest = slowest.max(started.elapsed()),
            None => return format!("> {} s", PATIENCE.as_secs()),
            refused => return name(refused),
        }
    }
    format!("{:.1} ms", slowest.as_secs_f64() * 1000.)
}
