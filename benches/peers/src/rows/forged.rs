//! How many requests does somebody without any key cause at the provider?

use crate::{
    peer::{Peer, Setup},
    token::forged,
    trial::{Statuses, Trial},
};
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::interval};

const TOKENS: usize = 10_000;
const SENDERS: usize = 32;
const TIME: Duration = Duration::from_secs(60);

pub(crate) async fn minute<P: Peer>() -> Result<String, String> {
    let trial = Arc::new(Trial::<P>::start(Setup::Fresh).await?);
    let seen = trial.provider.fetches();
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        let trial = trial.clone();
        senders.spawn(async move {
            let mut statuses = Statuses::default();
            let mut ticks = interval(TIME * SENDERS as u32 / TOKENS as u32);
            for n in (sender..TOKENS).step_by(SENDERS) {
                ticks.tick().await;
                statuses.add(trial.send(&forged(n, trial.provider.url())).await);
            }
            statuses
        });
    }
    let mut statuses = Statuses::default();
    while let Some(sent) = senders.join_next().await {
        statuses.merge(sent.map_err(|_| "panics")?);
    }
    Ok(format!("{}; {statuses}", trial.provider.fetches() - seen))
}
