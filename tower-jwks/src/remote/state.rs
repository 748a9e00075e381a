//! What the task and the requests share: the keys, and what is known of them.

use super::{
    budget::Budget,
    builder::Wait,
    events,
    fetch::FetchError,
    seeking::{Answer, Seeking},
    timing::Timing,
    url::shown,
};
use crate::{
    Algorithm, Clock, FetchFailure, FetchStatus, JwkSet, KeySet, KeysStatus, KeysUnavailable,
    UnixTime, Waiting,
};
use arc_swap::ArcSwapOption;
use http::{HeaderValue, Uri};
use std::{
    future,
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
    /// Changes when there may be something new for those who wait.
    news: watch::Sender<()>,
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
#[derive(Clone)]
pub(super) struct Trusted {
    pub(super) keys: Arc<KeySet>,
    /// What they were prepared from.
    pub(super) set: JwkSet,
    /// The entity tag, and of what.
    pub(super) version: Option<(Uri, HeaderValue)>,
    /// What the provider gave them.
    pub(super) lifetime: Option<Duration>,
    pub(super) fetched_at: UnixTime,
    pub(super) usable_until: UnixTime,
    /// Whether they are from the copy on disk.
    pub(super) copied: bool,
}

/// How much later than now keys may have been fetched, by a clock that was corrected since.
const LATEST: Duration = Duration::from_secs(60 * 60);

impl Trusted {
    fn is_usable(&self, now: UnixTime) -> bool {
        now < self.usable_until && self.fetched_at <= now.saturating_add(LATEST)
    }
}

/// How the fetching gets on. Held for moments only, and never across an await.
struct Progress {
    seeking: Seeking,
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
                seeking: Seeking::new(budget),
                jwks_uri,
                fetches: 0,
                failures: 0,
                last_error: None,
                next_fetch: settings.clock.now(),
            }),
            settings,
            waiting: Arc::new(Semaphore::new(places)),
            wanted: Notify::new(),
            news: watch::Sender::new(()),
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys, unless they are too old.
    pub(super) fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable> {
        self.with_keys(Arc::clone)
    }

    pub(super) fn with_keys<T>(
        &self,
        look: impl FnOnce(&Arc<KeySet>) -> T,
    ) -> Result<T, KeysUnavailable> {
        let trusted = self.trusted.load();
        match &*trusted {
            Some(trusted) if trusted.is_usable(self.settings.clock.now()) => {
                Ok(look(&trusted.keys))
            }
            trusted => Err(self.unavailable(trusted.is_some())),
        }
    }

    /// Without the reason, which is told once a fetch and not with each request.
    fn unavailable(&self, outdated: bool) -> KeysUnavailable {
        let now = self.settings.clock.now();
        let wait = self.progress().next_fetch.saturating_since(now);
        let state = if outdated {
            "could not be fetched for too long"
        } else {
            "have not been fetched yet"
        };
        let issuer = &self.settings.issuer;
        KeysUnavailable::new(format!("the keys of {issuer:?} {state}"))
            .with_retry_after(wait.max(Duration::from_secs(1)))
    }

    pub(super) fn trusted(&self) -> Option<Arc<Trusted>> {
        self.trusted.load_full()
    }

    /// Asks for a key that was not there a moment ago.
    pub(super) fn refresh_for(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Waiting> {
        // A key that would not be prepared need not be fetched.
        if !self.settings.algorithms.contains(&algorithm) {
            return None;
        }
        let now = self.settings.clock.now();
        let mut progress = self.progress();
        // A fetch may have ended since the keys were looked at.
        if let Some(kid) = kid
            && let Some(trusted) = self.trusted()
            && trusted.keys.contains(kid, algorithm)
        {
            return Some(Waiting::new(future::ready(())));
        }
        let answer = progress.seeking.ask(kid, algorithm, now);
        // Before the lock is given back, so that the end of the fetch is not missed.
        let mut news = self.news.subscribe();
        drop(progress);
        match answer {
            Answer::No => return None,
            Answer::Wait => {}
            Answer::Begin { budget_left } => {
                self.wanted.notify_one();
                events::sought(&self.settings.issuer, budget_left);
            }
        }
        let place = Arc::clone(&self.waiting).try_acquire_owned().ok()?;
        // From now on, whenever it is first polled.
        let end = Instant::now() + self.settings.wait.time;
        Some(Waiting::new(async move {
            let _place = place;
            let _ = timeout_at(end, news.changed()).await;
        }))
    }

    pub(super) fn ready(self: &Arc<Self>) -> Waiting {
        let mut news = self.news.subscribe();
        // Not kept alive by those who wait: without a handle there is nothing to wait for.
        let state = Arc::downgrade(self);
        Waiting::new(async move {
            while state.upgrade().is_some_and(|state| state.keys().is_err())
                && news.changed().await.is_ok()
            {}
        })
    }

    /// Ends when a token has asked for a fetch.
    pub(super) async fn wanted(&self) {
        loop {
            self.wanted.notified().await;
            // A wake-up may be left over from a request that another fetch has served.
            if self.progress().seeking.is_requested() {
                return;
            }
        }
    }

    /// A fetch begins. Whether a token has asked for it.
    pub(super) fn begin(&self) -> bool {
        let mut progress = self.progress();
        progress.fetches += 1;
        progress.seeking.begin()
    }

    /// The copy on disk is trusted from now on.
    pub(super) fn start_with(&self, copy: Trusted) {
        self.trusted.store(Some(Arc::new(copy)));
        self.news.send_replace(());
    }

    /// A fetch has brought these keys, from there. They are trusted from now on.
    pub(super) fn succeed(
        &self,
        trusted: Trusted,
        changed: bool,
        from: Option<Uri>,
        next: Duration,
    ) {
        let now = self.settings.clock.now();
        let keys = Arc::clone(&trusted.keys);
        let mut progress = self.progress();
        self.trusted.store(Some(Arc::new(trusted)));
        progress.seeking.succeed(&keys, changed, now);
        progress.jwks_uri = from;
        progress.failures = 0;
        progress.next_fetch = later(now, next);
        drop(progress);
        self.news.send_replace(());
    }

    /// A fetch has failed. How many have now, in a row, and when the next is to be, by that.
    pub(super) fn fail(
        &self,
        error: &FetchError,
        from: Option<Uri>,
        next: impl FnOnce(u32) -> Duration,
    ) -> (u32, Duration) {
        let now = self.settings.clock.now();
        let mut progress = self.progress();
        let failures = progress.failures.saturating_add(1);
        let next = next(failures);
        progress.failures = failures;
        progress.next_fetch = later(now, next);
        progress.jwks_uri = from.or(progress.jwks_uri.take());
        progress.last_error = Some(FetchFailure {
            at: now,
            message: error.message.clone(),
        });
        let paused_until = error.asked_pause.map(|_| progress.next_fetch);
        progress.seeking.fail(paused_until);
        drop(progress);
        self.news.send_replace(());
        (failures, next)
    }

    pub(super) fn status(&self) -> KeysStatus {
        let now = self.settings.clock.now();
        let trusted = self.trusted();
        let mut status = match &trusted {
            Some(trusted) => KeysStatus::of(&trusted.keys),
            None => KeysStatus::default(),
        };
        status.ready = trusted
            .as_ref()
            .is_some_and(|trusted| trusted.is_usable(now));
        let mut progress = self.progress();
        status.fetching = Some(FetchStatus {
            jwks_uri: progress.jwks_uri.as_ref().map(shown),
            fetched_at: trusted.as_ref().map(|trusted| trusted.fetched_at),
            age: trusted
                .as_ref()
                .map(|trusted| now.saturating_since(trusted.fetched_at)),
            usable_until: trusted.as_ref().map(|trusted| trusted.usable_until),
            copied: trusted.is_some_and(|trusted| trusted.copied),
            next_fetch: progress.next_fetch,
            fetches: progress.fetches,
            failures: progress.failures,
            last_error: progress.last_error.clone(),
            budget_left: progress.seeking.budget_left(now),
        });
        status
    }
}

/// Up to a whole second: nobody is told to come back too early.
fn later(now: UnixTime, wait: Duration) -> UnixTime {
    let up = Duration::from_secs(u64::from(wait.subsec_nanos() > 0));
    now.saturating_add(wait.saturating_add(up))
}
