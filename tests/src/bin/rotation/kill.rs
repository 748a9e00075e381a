//! A gateway that dies in the middle of a rotation.

use crate::{
    Failure,
    documents::KEYS,
    fleet::{Fleet, GATEWAYS},
    http::get,
};
use serde::Deserialize;
use std::{collections::HashSet, time::Duration};
use tokio::time::{Instant, sleep};

const PACE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(1);
/// How long it stays away.
const AWAY: Duration = Duration::from_secs(1);

/// Waits for a key that none of them had, kills the gateway that has it first, as that is the one that has made
/// it, and starts it again.
pub(crate) async fn kill_one(fleet: &Fleet) -> Result<(), Failure> {
    let (maker, kid) = maker_of_next_key(fleet).await?;
    fleet.kill(maker)?;
    println!(
        "rotation: gateway {} is killed, right after it has published the new key {kid}",
        maker + 1
    );
    sleep(AWAY).await;
    let start = Instant::now();
    fleet.start_again(maker).await?;
    println!(
        "rotation: gateway {} listens again, {} ms after it was started",
        maker + 1,
        start.elapsed().as_millis()
    );
    Ok(())
}

async fn maker_of_next_key(fleet: &Fleet) -> Result<(usize, String), Failure> {
    let mut known = HashSet::new();
    for gateway in 0..GATEWAYS {
        known.extend(kids(fleet, gateway).await?);
    }
    loop {
        for gateway in 0..GATEWAYS {
            let kids = kids(fleet, gateway).await?;
            if let Some(new) = kids.into_iter().find(|kid| !known.contains(kid)) {
                return Ok((gateway, new));
            }
        }
        sleep(PACE).await;
    }
}

async fn kids(fleet: &Fleet, gateway: usize) -> Result<Vec<String>, Failure> {
    #[derive(Deserialize)]
    struct Keys {
        keys: Vec<Key>,
    }
    #[derive(Deserialize)]
    struct Key {
        kid: String,
    }

    let life = fleet.life(gateway).ok_or("a gateway is gone")?;
    let answer = get(life.address, KEYS, &[], PATIENCE).await?;
    let keys: Keys = serde_json::from_slice(answer.body())?;
    Ok(keys.keys.into_iter().map(|key| key.kid).collect())
}
