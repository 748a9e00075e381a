//! How much is deployed at one time: what is sent is in memory from its first byte until it is served.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::answer::Refusal;

/// The most deploys that are in memory.
const MOST: usize = 4;
/// How long the next one waits for a place. Most deploys are small: there is one soon.
const PATIENCE: Duration = Duration::from_secs(5);

/// The places for deploys.
#[derive(Debug)]
pub(super) struct Uploads(Arc<Semaphore>);

impl Default for Uploads {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

impl Uploads {
    /// Takes a place, which is free again when it is dropped.
    pub(super) async fn enter(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let place = Arc::clone(&self.0).acquire_owned();
        match timeout(PATIENCE, place).await {
            Ok(Ok(place)) => Ok(place),
            // It is never closed.
            Ok(Err(closed)) => Err(Refusal::Failed(closed.to_string())),
            Err(_) => Err(Refusal::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_waits_for_one_and_not_for_ever() {
        let uploads = Uploads::default();
        let mut places = Vec::new();
        for _ in 0..MOST {
            places.push(uploads.enter().await.unwrap());
        }
        assert!(matches!(uploads.enter().await, Err(Refusal::Busy)));
        let (entered, ()) = tokio::join!(uploads.enter(), async {
            tokio::time::sleep(PATIENCE / 2).await;
            places.pop();
        });
        places.push(entered.unwrap());
        assert!(matches!(uploads.enter().await, Err(Refusal::Busy)));
    }
}
