//! The task that fetches: one for each issuer, so that there is never more than one fetch at a time,
//! and apart from all requests, so that a caller who hangs up stops nothing.

use super::{
    events,
    fetch::{Client, Document, FetchError, Fetched, Query, fetch},
    last_good::{Copy, LastGood},
    locate::Locator,
    state::{State, Trusted},
    timing::{refresh_after, retry_after},
};
use crate::{JwkSet, KeySet};
use http::Uri;
use std::{
    collections::hash_map::RandomState,
    future::{Future, poll_fn},
    hash::BuildHasher,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{sleep, timeout},
};

const MEDIA_TYPES: &[&str] = &["application/jwk-set+json", "application/json"];

/// The longest sleep, so that a machine that was suspended, whose timers stood still, does not go on
/// sleeping for hours.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// The pause after code of others has panicked.
const PAUSE_AFTER_PANIC: Duration = Duration::from_secs(5);

/// What the task works with.
pub(super) struct Fetcher {
    pub(super) state: Arc<State>,
    pub(super) locator: Locator,
    pub(super) client: Arc<dyn Client>,
    pub(super) last_good: Option<LastGood>,
    /// The writing of the copy, which may take longer than anything should wait.
    pub(super) writing: Option<JoinHandle<()>>,
}

impl Fetcher {
    pub(super) async fn run(mut self) {
        // The HTTP client, the clock and what listens to events are somebody else's: a panic in them
        // is a fetch that fails, and not the end of all fetching.
        let _ = without_panic(self.start()).await;
        loop {
            if without_panic(self.round()).await.is_err() {
                let failed = without_panic(async {
                    self.fail(&FetchError::new(
                        "the HTTP client, the clock or a log has panicked",
                    ))
                });
                let _ = failed.await;
                sleep(PAUSE_AFTER_PANIC).await;
            }
        }
    }

    /// One fetch, and the time until the next.
    async fn round(&mut self) {
        let wanted = self.state.begin();
        let limit = self.state.settings.timing.time_limit;
        let outcome = match timeout(limit, self.fetch(wanted)).await {
            Ok(outcome) => outcome,
            // Metadata has a limit of its own.
            Err(_) => {
                let error = FetchError::new(format!("was not there after {limit:?}"));
                Err(match self.locator.jwks_uri() {
                    Some(uri) => error.at(uri),
                    None => error,
                })
            }
        };
        let next = match outcome {
            Ok((trusted, fresh_for)) => self.succeed(trusted, fresh_for),
            Err(error) => self.fail(&error),
        };
        self.sleep(next).await;
    }

    /// Ends when the time is over, by tokio's timer or by the clock, or when a token asks for a key.
    async fn sleep(&self, time: Duration) {
        let clock = &self.state.settings.clock;
        let due = clock.now().saturating_add(time);
        let mut left = time;
        while !left.is_zero() {
            let nap = left.min(LONGEST_SLEEP);
            let wanted = timeout(nap, self.state.wanted()).await.is_ok();
            // Without keys, a clock may have been set: what is there may be too old or too new.
            if wanted || due <= clock.now() || self.state.keys().is_err() {
                return;
            }
            left = left.saturating_sub(nap);
        }
    }

    /// What is to be trusted, and how long it is fresh.
    async fn fetch(&mut self, past_caches: bool) -> Result<(Trusted, Duration), FetchError> {
        let settings = &self.state.settings;
        let now = settings.clock.now();
        let uri = self
            .locator
            .locate(&*self.client, &settings.timing, now)
            .await?;
        let query = Query {
            uri: uri.clone(),
            media_types: MEDIA_TYPES,
            past_caches,
        };
        let known = self.state.trusted().and_then(|trusted| {
            // The tag of another place says nothing about this one.
            let (place, etag) = trusted.version.clone()?;
            (place == uri).then_some((etag, trusted))
        });
        let at_uri = |error: FetchError| error.at(&uri);
        let mut trusted = match fetch(&*self.client, query, known).await.map_err(at_uri)? {
            Fetched::New(document) => read(&self.state, &uri, document).map_err(at_uri)?,
            Fetched::NotModified(trusted, lifetime) => Trusted {
                lifetime: lifetime.or(trusted.lifetime),
                ..(*trusted).clone()
            },
        };
        let fresh_for = settings.timing.fresh_for(trusted.lifetime);
        trusted.fetched_at = now;
        trusted.usable_until = now
            .saturating_add(fresh_for)
            .saturating_add(settings.timing.stale_if_error);
        Ok((trusted, fresh_for))
    }

    fn succeed(&mut self, mut trusted: Trusted, fresh_for: Duration) -> Duration {
        let before = self.state.trusted().filter(|before| {
            before.set.json() == trusted.set.json()
                && before.keys.left_out() == trusted.keys.left_out()
        });
        let changed = before.is_none();
        if let Some(before) = before {
            // The same keys are the same value: what they have verified is remembered for as long.
            trusted.keys = Arc::clone(&before.keys);
        }
        let next = refresh_after(fresh_for, random());
        let place = self.locator.jwks_uri().cloned();
        let keys = Arc::clone(&trusted.keys);
        self.keep(&trusted);
        self.state.succeed(trusted, changed, place, next);
        let issuer = &self.state.settings.issuer;
        // Told when it is so: who reads it may act on it.
        if changed {
            events::changed(issuer, &kids(&keys));
            events::left_out(issuer, keys.left_out());
        }
        events::fetched(issuer, changed, next);
        next
    }

    /// Writes the copy, unless the disk is still busy with the last.
    fn keep(&mut self, trusted: &Trusted) {
        let busy = self
            .writing
            .as_ref()
            .is_some_and(|writing| !writing.is_finished());
        if let Some(last_good) = self.last_good.clone()
            && !busy
        {
            let issuer = self.state.settings.issuer.clone();
            let copy = Copy::of(trusted);
            self.writing = Some(tokio::spawn(async move {
                let written = spawn_blocking(move || last_good.write(&copy)).await;
                if let Ok(Err(error)) = written {
                    events::copy_failed(&issuer, &error);
                }
            }));
        }
    }

    fn fail(&mut self, error: &FetchError) -> Duration {
        self.locator.doubt();
        let settings = &self.state.settings;
        let has_keys = self.state.keys().is_ok();
        let place = self.locator.jwks_uri().cloned();
        let (failures, next) = self.state.fail(error, place, |failures| {
            retry_after(failures, has_keys, error.asked_pause, random())
        });
        events::failed(&settings.issuer, &error.message, failures, next, has_keys);
        next
    }

    /// Trusts the copy on disk until a fetch succeeds, if the keys could still be trusted had they
    /// been kept in memory.
    async fn start(&self) {
        let Some(last_good) = self.last_good.clone() else {
            return;
        };
        let settings = &self.state.settings;
        // Off the runtime's workers, and no longer than a fetch may take: a disk can hang as well.
        let reading = spawn_blocking(move || last_good.read());
        let copy = match timeout(settings.timing.time_limit, reading).await {
            Ok(Ok(Ok(Some(copy)))) => copy,
            Ok(Ok(Ok(None))) => return,
            Ok(Ok(Err(error))) => return events::copy_failed(&settings.issuer, &error),
            Ok(Err(_)) | Err(_) => {
                return events::copy_failed(&settings.issuer, "it was not read in time");
            }
        };
        let now = settings.clock.now();
        // By the settings of today, and not for longer than those of the day it was made.
        let longest = *settings.timing.lifetime.end() + settings.timing.stale_if_error;
        let usable_until = copy
            .usable_until
            .min(copy.fetched_at.saturating_add(longest));
        if copy.fetched_at > now || usable_until <= now {
            let why = "it is too old, or from the future";
            return events::copy_failed(&settings.issuer, why);
        }
        match prepare(&self.state, &copy.json) {
            Ok((set, keys)) => {
                let keys = Arc::new(keys);
                self.state.start_with(Trusted {
                    keys: Arc::clone(&keys),
                    set,
                    // The first fetch brings the whole set.
                    version: None,
                    lifetime: None,
                    fetched_at: copy.fetched_at,
                    usable_until,
                    copied: true,
                });
                let age = now.saturating_since(copy.fetched_at);
                events::copy_read(&settings.issuer, &kids(&keys), age);
                events::left_out(&settings.issuer, keys.left_out());
            }
            Err(error) => events::copy_failed(&settings.issuer, &error.message),
        }
    }
}

/// Makes keys to be trusted of what was fetched from there.
fn read(state: &State, uri: &Uri, document: Document) -> Result<Trusted, FetchError> {
    let now = state.settings.clock.now();
    let (set, keys) = prepare(state, &document.bytes)?;
    Ok(Trusted {
        keys: Arc::new(keys),
        set,
        version: document.etag.map(|etag| (uri.clone(), etag)),
        lifetime: document.lifetime,
        fetched_at: now,
        usable_until: now,
        copied: false,
    })
}

fn prepare(state: &State, json: &[u8]) -> Result<(JwkSet, KeySet), FetchError> {
    let set = JwkSet::parse(json).map_err(|error| FetchError::new(error.to_string()))?;
    let keys = KeySet::new(&set, &state.settings.algorithms);
    if keys.is_empty() && !state.settings.empty_revokes {
        let mut reasons = vec!["has no usable key".to_owned()];
        reasons.extend(keys.left_out().iter().take(3).map(ToString::to_string));
        return Err(FetchError::new(reasons.join("; ")));
    }
    Ok((set, keys))
}

fn kids(keys: &KeySet) -> Vec<&str> {
    keys.iter().filter_map(|key| key.kid()).collect()
}

/// The outcome, or nothing if it panicked.
async fn without_panic<T>(future: impl Future<Output = T>) -> Result<T, ()> {
    let mut future = pin!(future);
    poll_fn(
        move |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Err(()).into(),
        },
    )
    .await
}

/// From 0 to 1. Nothing secret depends on it.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(()) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}
