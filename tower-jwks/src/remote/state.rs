//! What the task and the requests share: the keys, and what is known of them.

use super::{absent::Absent, budget::Budget, builder::Wait, events, timing::Timing};
use crate::{
    Algorithm, Clock, FetchFailure, JwkSet, KeySet, KeysStatus, KeysUnavailable, UnixTime, Waiting,
};
use arc_swap::ArcSwapOption;
use http::{HeaderValue, Uri};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{Instant, timeout_at},
};

pub(super) struct State {
    pub(super) settings: Settings,
    /// What requests read, without a lock.
    trusted: ArcSwapOption<Trusted>,
    progress: Mutex<Progress>,
    waiting: Arc<Semaphore>,
    /// Wakes the task: a fetch is wanted out of turn.
    wanted: Notify,
    /// How many fetches have ended.
    ended: watch::Sender<u64>,
}

/// What does not change.
pub(super) struct Settings {
    pub(super) issuer: String,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) timing: Timing,
    pub(super) empty_revokes: bool,
    pub(super) wait: Wait,
    pub(super) clock: Arc<dyn Clock>,
}

/// The keys that are trusted.
pub(super) struct Trusted {
    pub(super) keys: Arc<KeySet>,
    /// What they were prepared from.
    pub(super) set: JwkSet,
    pub(super) etag: Option<HeaderValue>,
    pub(super) fetched_at: UnixTime,
    pub(super) usable_until: UnixTime,
    /// Whether they are from the copy on disk.
    pub(super) copied: bool,
}

/// How the fetching gets on. Held for moments only, and never across an await.
struct Progress {
    budget: Budget,
    absent: Absent,
    under_way: bool,
    /// A token has asked for a fetch that has not begun.
    requested: bool,
    jwks_uri: Option<Uri>,
    fetches: u64,
    failures: u32,
    last_error: Option<FetchFailure>,
    next_fetch: UnixTime,
}

impl State {
    pub(super) fn new(settings: Settings, budget: Budget, jwks_uri: Option<Uri>) -> Self {
        let places = settings.wait.requests.min(Semaphore::MAX_PERMITS);
        Self {
            trusted: ArcSwapOption::empty(),
            progress: Mutex::new(Progress {
                budget,
                absent: Absent::default(),
                under_way: false,
                requested: false,
                jwks_uri,
                fetches: 0,
                failures: 0,
                last_error: None,
                next_fetch: settings.clock.now(),
            }),
            settings,
            waiting: Arc::new(Semaphore::new(places)),
            wanted: Notify::new(),
            ended: watch::Sender::new(0),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys, unless they are too old.
    pub(super) fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable> {
        let trusted = self.trusted.load();
        match &*trusted {
            Some(trusted) if self.settings.clock.now() < trusted.usable_until => {
                Ok(Arc::clone(&trusted.keys))
            }
            trusted => Err(self.unavailable(trusted.is_some())),
        }
    }

    fn unavailable(&self, outdated: bool) -> KeysUnavailable {
        let progress = self.progress();
        let state = if outdated {
            "could not be fetched for too long"
        } else {
            "have not been fetched yet"
        };
        let reason = match &progress.last_error {
            Some(failure) => format!(": {}", failure.message),
            None => String::new(),
        };
        let wait = progress
            .next_fetch
            .saturating_since(self.settings.clock.now());
        KeysUnavailable::new(format!(
            "the keys of {:?} {state}{reason}",
            self.settings.issuer
        ))
        .with_retry_after(wait.max(Duration::from_secs(1)))
    }

    pub(super) fn trusted(&self) -> Option<Arc<Trusted>> {
        self.trusted.load_full()
    }

    pub(super) fn refresh_for(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Waiting> {
        let now = self.settings.clock.now();
        let mut progress = self.progress();
        let name = progress.absent.name(kid, algorithm);
        if progress.absent.contains(name, now) {
            return None;
        }
        progress.absent.ask(name);
        let mut sought = None;
        if !progress.under_way && !progress.requested {
            // While the provider does not answer, its pauses are kept for tokens too.
            let paused = progress.failures > 0 && now < progress.next_fetch;
            if paused || !progress.budget.take(now) {
                return None;
            }
            progress.requested = true;
            self.wanted.notify_one();
            sought = Some(progress.budget.left(now));
        }
        // Before the lock is given back, so that the end of the fetch is not missed.
        let mut ended = self.ended.subscribe();
        drop(progress);
        if let Some(budget_left) = sought {
            events::sought(&self.settings.issuer, budget_left);
        }
        let place = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        // From now on, whenever it is first polled.
        let end = Instant::now() + self.settings.wait.time;
        Some(Waiting::new(async move {
            let _place = place;
            let _ = timeout_at(end, ended.changed()).await;
        }))
    }

    pub(super) fn ready(self: &Arc<Self>) -> Waiting {
        let state = Arc::clone(self);
        Waiting::new(async move {
            let mut ended = state.ended.subscribe();
            while state.keys().is_err() && ended.changed().await.is_ok() {}
        })
    }

    /// Ends when a token has asked for a fetch.
    pub(super) async fn wanted(&self) {
        loop {
            self.wanted.notified().await;
            // A wake-up may be left over from a request that another fetch has served.
            if self.progress().requested {
                return;
            }
        }
    }

    /// A fetch begins. Whether a token has asked for it.
    pub(super) fn begin(&self) -> bool {
        let mut progress = self.progress();
        progress.under_way = true;
        progress.fetches += 1;
        progress.absent.begin();
        std::mem::take(&mut progress.requested)
    }

    /// These keys are trusted from now on.
    pub(super) fn trust(&self, trusted: Trusted) {
        self.trusted.store(Some(Arc::new(trusted)));
    }

    /// A fetch has succeeded, from there.
    pub(super) fn succeeded(&self, jwks_uri: Option<Uri>, next: Duration) {
        let now = self.settings.clock.now();
        let mut progress = self.progress();
        progress.absent.settle(now);
        progress.jwks_uri = jwks_uri;
        progress.failures = 0;
        progress.end(now, next);
        drop(progress);
        self.tell();
    }

    /// How many fetches would have failed in a row if this one has.
    pub(super) fn failures(&self) -> u32 {
        self.progress().failures.saturating_add(1)
    }

    /// A fetch has failed.
    pub(super) fn failed(&self, message: String, jwks_uri: Option<Uri>, next: Duration) {
        let now = self.settings.clock.now();
        let mut progress = self.progress();
        progress.absent.fail();
        progress.jwks_uri = jwks_uri.or(progress.jwks_uri.take());
        progress.failures = progress.failures.saturating_add(1);
        progress.last_error = Some(FetchFailure { at: now, message });
        progress.end(now, next);
        drop(progress);
        self.tell();
    }

    /// Wakes those who wait for the end of a fetch, or for keys.
    pub(super) fn tell(&self) {
        self.ended
            .send_modify(|ended| *ended = ended.wrapping_add(1));
    }

    pub(super) fn status(&self) -> KeysStatus {
        let now = self.settings.clock.now();
        let trusted = self.trusted();
        let mut status = match &trusted {
            Some(trusted) => KeysStatus::of(&trusted.keys),
            None => KeysStatus::default(),
        };
        if let Some(trusted) = trusted {
            status.ready = now < trusted.usable_until;
            status.fetched_at = Some(trusted.fetched_at);
            status.age = Some(now.saturating_since(trusted.fetched_at));
            status.usable_until = Some(trusted.usable_until);
            status.copied = trusted.copied;
        }
        let mut progress = self.progress();
        status.jwks_uri = progress.jwks_uri.as_ref().map(ToString::to_string);
        status.next_fetch = Some(progress.next_fetch);
        status.fetches = Some(progress.fetches);
        status.failures = Some(progress.failures);
        status.last_error = progress.last_error.clone();
        status.budget_left = Some(progress.budget.left(now));
        status
    }
}

impl Progress {
    fn end(&mut self, now: UnixTime, next: Duration) {
        self.under_way = false;
        // Up to a whole second: nobody is told to come back too early.
        let up = Duration::from_secs(u64::from(next.subsec_nanos() > 0));
        self.next_fetch = now.saturating_add(next.saturating_add(up));
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("issuer", &self.settings.issuer)
            .finish_non_exhaustive()
    }
}
