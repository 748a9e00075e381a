//! Does a caller who goes away take the fetch with it, or the right to the next one?

use crate::{
    peer::{Peer, Setup},
    provider::Behavior,
    token::forged,
    trial::{Trial, name},
};
use http::StatusCode;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const FETCH: Duration = Duration::from_millis(500);
const CALL: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(20);
const CALLERS: usize = 20;
const NOT_ON_DEMAND: &str = "no request makes it fetch";

pub(crate) async fn once<P: Peer>() -> Result<String, String> {
    if !P::ON_DEMAND {
        return Err(NOT_ON_DEMAND.to_owned());
    }
    let trial = Trial::<P>::start(Setup::Due).await?;
    trial.provider.set(Behavior::Slow(FETCH));
    let token = trial.rotate();
    let provider = &trial.provider;
    let (seen, answered) = (provider.fetches(), provider.answered());
    let _ = timeout(CALL, trial.peer.send(&token)).await;

    let hung_up = Instant::now();
    let status = trial.send(&token).await;
    let after = hung_up.elapsed();
    sleep((FETCH * 2).saturating_sub(after)).await;
    // The next request may have made another fetch: it is the first that must not be missing.
    let cancelled = (provider.fetches() - seen) - (provider.answered() - answered);
    let fetch = match cancelled {
        0 => "completed",
        _ => "cancelled",
    };
    let mut cell = format!(
        "{fetch}; the next request {} after {:.1} s",
        name(status),
        after.as_secs_f64()
    );
    if status != Some(StatusCode::OK) {
        let accepted = trial
            .accepted(&token, Duration::from_millis(250), LIMIT)
            .await;
        cell += &match accepted {
            Some(_) => format!(", accepted after {:.1} s", hung_up.elapsed().as_secs_f64()),
            None => format!(", refused for {} s", LIMIT.as_secs()),
        };
    }
    Ok(cell)
}

pub(crate) async fn often<P: Peer>() -> Result<String, String> {
    if !P::ON_DEMAND {
        return Err(NOT_ON_DEMAND.to_owned());
    }
    let trial = Trial::<P>::start(Setup::Due).await?;
    trial.provider.set(Behavior::Slow(FETCH));
    let seen = trial.provider.fetches();
    for n in 0..CALLERS {
        let _ = timeout(CALL, trial.peer.send(&forged(n, trial.provider.url()))).await;
    }
    Ok((trial.provider.fetches() - seen).to_string())
}
