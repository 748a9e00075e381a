//! Is there an end to what is read from the provider?

use crate::{
    peer::{Peer, Setup},
    provider::Behavior,
    trial::{Trial, name},
};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const LIMIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(1);

pub(crate) async fn row<P: Peer>() -> Result<String, String> {
    let trial = Trial::<P>::start(Setup::Due).await?;
    trial.provider.set(Behavior::Huge);
    trial.provoke(trial.provider.fetches()).await?;

    let started = Instant::now();
    let mut taken = None;
    // Until nothing more is taken, which is so at the end as well as behind a limit.
    while taken != Some(trial.provider.taken()) && started.elapsed() < LIMIT {
        taken = Some(trial.provider.taken());
        sleep(PAUSE).await;
    }
    trial.provider.set(Behavior::Error);
    let mebibytes = trial.provider.taken() >> 20;
    let taken = match mebibytes {
        0 => "< 1 MiB".to_owned(),
        _ => format!("{mebibytes} MiB"),
    };
    Ok(format!("{taken}; {}", name(trial.send(&trial.known).await)))
}
