//! How long are callers refused after the provider changed its key?

use crate::{
    peer::{Peer, Setup},
    trial::Trial,
};
use std::time::Duration;
use tokio::time::sleep;

const PERIOD: Duration = Duration::from_millis(250);
const LIMIT: Duration = Duration::from_secs(75);
const FORGED_PER_SECOND: usize = 2000;

pub(crate) async fn recent<P: Peer>() -> Result<String, String> {
    let trial = Trial::<P>::start(Setup::Fresh).await?;
    Ok(rotated(&trial).await)
}

pub(crate) async fn settled<P: Peer>() -> Result<String, String> {
    if !P::ON_DEMAND {
        // Only its timer counts, and this setup shortens that.
        return Ok("as 3a: by a timer".to_owned());
    }
    let trial = Trial::<P>::start(Setup::Due).await?;
    Ok(rotated(&trial).await)
}

pub(crate) async fn flooded<P: Peer>() -> Result<String, String> {
    // A flood makes everything recent; and an interval that was shortened would flatter.
    let trial = Trial::<P>::start(Setup::Fresh).await?;
    let flood = trial.flood(FORGED_PER_SECOND);
    sleep(Duration::from_secs(1)).await;
    let mut cell = rotated(&trial).await;
    let per_second = flood.stop();
    if per_second < FORGED_PER_SECOND * 9 / 10 {
        cell += &format!(", under only {per_second} a second");
    }
    Ok(cell)
}

async fn rotated<P: Peer>(trial: &Trial<P>) -> String {
    let token = trial.rotate();
    match trial.accepted(&token, PERIOD, LIMIT).await {
        Some(time) => format!("{:.1} s", time.as_secs_f64()),
        None => format!("> {} s", LIMIT.as_secs()),
    }
}
