//! A peer with a provider of its own, and what is done to it in more than one row.

use crate::{
    peer::{Peer, Setup},
    provider::Provider,
    token::{SigningKey, forged, jwks},
};
use http::StatusCode;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{MissedTickBehavior, interval, sleep, timeout},
};

/// How long a request may take before it counts as never answered.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Trial<P> {
    pub(crate) peer: Arc<P>,
    pub(crate) provider: Provider,
    /// A token of the key the provider began with.
    pub(crate) known: String,
}

impl<P: Peer> Trial<P> {
    /// Begins when the peer accepts tokens.
    pub(crate) async fn start(setup: Setup) -> Result<Self, String> {
        let key = SigningKey::generate("first");
        let provider = Provider::start(jwks(&[key.jwk()])).await;
        let peer = P::start(&provider, setup).await?;
        let trial = Self {
            peer: Arc::new(peer),
            known: key.token(provider.url()),
            provider,
        };
        let started = Instant::now();
        while trial.send(&trial.known).await != Some(StatusCode::OK) {
            if started.elapsed() > PATIENCE {
                return Err("accepts no token".to_owned());
            }
            sleep(Duration::from_millis(20)).await;
        }
        if setup == Setup::Due {
            // Those whose interval was shortened to a second have to be due as well.
            sleep(Duration::from_millis(1100)).await;
        }
        Ok(trial)
    }

    /// `None` where there is no answer in time.
    pub(crate) async fn send(&self, token: &str) -> Option<StatusCode> {
        timeout(PATIENCE, self.peer.send(token)).await.ok()
    }

    /// Waits for a request for the key set that follows the first `seen`, with a forged `kid` for a
    /// reason to make one.
    pub(crate) async fn provoke(&self, seen: usize) -> Result<(), String> {
        let (peer, token) = (self.peer.clone(), forged(0, self.provider.url()));
        tokio::spawn(async move { peer.send(&token).await });
        let started = Instant::now();
        while self.provider.fetches() == seen {
            if started.elapsed() > PATIENCE {
                return Err("does not fetch".to_owned());
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// The provider signs with another key from now on, and the old one is gone. Returns a token of
    /// the new one.
    pub(crate) fn rotate(&self) -> String {
        let key = SigningKey::generate("second");
        self.provider.set_keys(jwks(&[key.jwk()]));
        key.token(self.provider.url())
    }

    /// Sends `token` each `period` until it is accepted.
    pub(crate) async fn accepted(
        &self,
        token: &str,
        period: Duration,
        limit: Duration,
    ) -> Option<Duration> {
        let started = Instant::now();
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while started.elapsed() < limit {
            ticks.tick().await;
            if self.send(token).await == Some(StatusCode::OK) {
                return Some(started.elapsed());
            }
        }
        None
    }

    /// Sends forged tokens, each with a `kid` of its own.
    pub(crate) fn flood(&self, per_second: usize) -> Flood {
        // Where answers wait for a fetch, the memory they take is bounded.
        const WAITING: usize = 4096;
        const TICKS: usize = 100;

        let (peer, url) = (self.peer.clone(), self.provider.url().to_owned());
        let sent = Arc::new(AtomicUsize::new(0));
        let count = sent.clone();
        let sending = tokio::spawn(async move {
            let mut ticks = interval(Duration::from_secs(1) / TICKS as u32);
            let mut requests = JoinSet::new();
            for n in 0.. {
                if n % (per_second / TICKS) == 0 {
                    ticks.tick().await;
                    while requests.try_join_next().is_some() {}
                }
                if requests.len() < WAITING {
                    let (peer, token) = (peer.clone(), forged(n, &url));
                    requests.spawn(async move { peer.send(&token).await });
                    count.fetch_add(1, Relaxed);
                }
            }
        });
        Flood {
            started: Instant::now(),
            sent,
            sending,
        }
    }
}

/// Requests that are being sent.
pub(crate) struct Flood {
    started: Instant,
    sent: Arc<AtomicUsize>,
    sending: JoinHandle<()>,
}

impl Flood {
    /// Ends it, and tells how many requests a second it has been.
    pub(crate) fn stop(self) -> usize {
        self.sending.abort();
        (self.sent.load(Relaxed) as f64 / self.started.elapsed().as_secs_f64()) as usize
    }
}

/// How often each status was seen.
#[derive(Default)]
pub(crate) struct Statuses(BTreeMap<String, usize>);

impl Statuses {
    pub(crate) fn add(&mut self, status: Option<StatusCode>) {
        *self.0.entry(name(status)).or_default() += 1;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (name, count) in other.0 {
            *self.0.entry(name).or_default() += count;
        }
    }
}

impl std::fmt::Display for Statuses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seen: Vec<_> = self
            .0
            .iter()
            .map(|(name, count)| format!("{name} ×{count}"))
            .collect();
        f.write_str(&seen.join(", "))
    }
}

/// A status as a cell has it.
pub(crate) fn name(status: Option<StatusCode>) -> String {
    status.map_or_else(
        || "no answer".to_owned(),
        |status| status.as_u16().to_string(),
    )
}
