//! Are known keys still good while the provider is down?

use crate::{
    peer::{Peer, Setup},
    provider::Behavior,
    token::forged,
    trial::{Statuses, Trial},
};
use std::time::Duration;
use tokio::time::interval;

const PERIOD: Duration = Duration::from_millis(250);
const REQUESTS: usize = 40;

pub(crate) async fn row<P: Peer>() -> Result<String, String> {
    let mut trial = Trial::<P>::start(Setup::Due).await?;
    let seen = trial.provider.fetches();
    let mut statuses = Statuses::default();

    trial.provider.set(Behavior::Error);
    requests(&trial, &mut statuses).await;
    let fetches = trial.provider.fetches() - seen;

    trial.provider.stop().await;
    requests(&trial, &mut statuses).await;
    Ok(format!("{statuses}; {fetches}"))
}

/// A forged token each second gives a reason to fetch to those who fetch on demand.
async fn requests<P: Peer>(trial: &Trial<P>, statuses: &mut Statuses) {
    let mut ticks = interval(PERIOD);
    for n in 0..REQUESTS {
        ticks.tick().await;
        if n % 4 == 0 {
            let (peer, token) = (trial.peer.clone(), forged(n, trial.provider.url()));
            tokio::spawn(async move { peer.send(&token).await });
        }
        statuses.add(trial.send(&trial.known).await);
    }
}
