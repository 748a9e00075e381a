//! Asking a source: what it said lately, one question at a time for a key, and only for so long.

use crate::refusal::{Refusal, RefusalReason};
use quick_cache::{Weighter, sync::Cache};
use std::{fmt, future::Future, hash::Hash, pin::Pin, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// A source of any kind.
pub(super) type Ask<K, V> =
    dyn Fn(K) -> Pin<Box<dyn Future<Output = Result<V, Refusal>> + Send>> + Send + Sync;

/// A source with what it said lately. Clones share that.
pub(super) struct Asking<K, V> {
    /// What is asked for, for the log.
    name: &'static str,
    source: Arc<Ask<K, V>>,
    answers: Option<Arc<Cache<K, Answer<V>, Weight>>>,
    pub(super) fresh_for: Duration,
    pub(super) time_limit: Duration,
    pub(super) fail_open: bool,
}

#[derive(Clone)]
struct Answer<V> {
    value: Result<V, Refusal>,
    until: Instant,
}

/// What is kept: the bytes it takes, nearly, and whether there is something in it.
pub(super) trait Kept {
    fn bytes(&self) -> usize;

    /// Whether the source knew nothing.
    fn is_nothing(&self) -> bool {
        false
    }
}

/// For how long it is believed, at most, that a source knows nothing: who has just been subscribed does
/// not want to wait.
const NOTHING_FOR: Duration = Duration::from_secs(10);

/// For how long a failure is believed: so that those who have waited for it do not ask one after the other.
const FAILURE_FOR: Duration = Duration::from_secs(1);

/// As good as for ever, where the clock has no longer.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl<K, V> Asking<K, V>
where
    K: Kept + Clone + Eq + Hash + Send + Sync + 'static,
    V: Kept + Clone + Send + Sync + 'static,
{
    pub(super) fn new(name: &'static str, source: Arc<Ask<K, V>>) -> Self {
        Self {
            name,
            source,
            answers: Some(Arc::new(answers(10_000, 16 * 1024 * 1024))),
            fresh_for: Duration::from_secs(60),
            time_limit: Duration::from_secs(2),
            fail_open: false,
        }
    }

    pub(super) fn set_cache(&mut self, entries: usize, bytes: u64) {
        self.answers = (entries > 0).then(|| Arc::new(answers(entries, bytes)));
    }

    /// What the source said lately; a failure is none of it.
    pub(super) fn known(&self, key: &K) -> Option<V> {
        let answer = self.answers.as_ref()?.get(key)?;
        let is_fresh = Instant::now() < answer.until;
        answer.value.ok().filter(|_| is_fresh)
    }

    /// Asks the source, or waits for the answer to one who has asked the same. `None`: it has failed, and
    /// that is to be borne.
    pub(super) async fn ask(self, key: K) -> Result<Option<V>, Refusal> {
        let deadline = after(self.time_limit);
        let answer = match &self.answers {
            None => self.question(key, deadline).await,
            Some(answers) => {
                match timeout_at(deadline, self.shared(answers, key, deadline)).await {
                    Ok(answer) => answer,
                    Err(_) => Err(self.late()),
                }
            }
        };
        match answer {
            Ok(value) => Ok(Some(value)),
            Err(refusal)
                if self.fail_open && refusal.reason() == RefusalReason::SourceUnavailable =>
            {
                crate::trace::failed_open(&refusal);
                Ok(None)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// One question at a time for a key: who comes meanwhile gets the answer to it, be it a failure. Whoever
    /// gives up on the way leaves the question to the next.
    async fn shared(
        &self,
        answers: &Cache<K, Answer<V>, Weight>,
        key: K,
        deadline: Instant,
    ) -> Result<V, Refusal> {
        loop {
            match answers.get_value_or_guard_async(&key).await {
                Ok(answer) if Instant::now() < answer.until => return answer.value,
                Ok(_) => {
                    let now = Instant::now();
                    answers.remove_if(&key, |answer| answer.until <= now);
                }
                Err(place) => {
                    let value = self.question(key.clone(), deadline).await;
                    let answer = Answer {
                        until: after(self.believed_for(&value)),
                        value: value.clone(),
                    };
                    // Only if nobody has taken the place meanwhile.
                    let _ = place.insert(answer);
                    return value;
                }
            }
        }
    }

    async fn question(&self, key: K, deadline: Instant) -> Result<V, Refusal> {
        let answer = match timeout_at(deadline, (self.source)(key)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.late()),
        };
        answer.map_err(|refusal| refusal.of_source(self.name))
    }

    fn late(&self) -> Refusal {
        let limit = self.time_limit.as_millis();
        Refusal::source_unavailable().with_detail(format!("no answer within {limit} ms"))
    }

    fn believed_for(&self, answer: &Result<V, Refusal>) -> Duration {
        match answer {
            Ok(value) if value.is_nothing() => self.fresh_for.min(NOTHING_FOR),
            Ok(_) => self.fresh_for,
            Err(_) => FAILURE_FOR,
        }
    }
}

fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now + LONGEST)
}

fn answers<K, V>(entries: usize, bytes: u64) -> Cache<K, Answer<V>, Weight>
where
    K: Kept + Eq + Hash,
    V: Kept + Clone,
{
    let least = bytes.div_ceil(entries.max(1) as u64);
    Cache::with_weighter(entries, bytes, Weight { least })
}

/// Weighs an answer by the memory it takes, and no less than an even share of all of it: so that there
/// are no more than there should be.
#[derive(Clone)]
struct Weight {
    least: u64,
}

impl<K: Kept, V: Kept> Weighter<K, Answer<V>> for Weight {
    fn weight(&self, key: &K, answer: &Answer<V>) -> u64 {
        let bytes = size_of::<K>()
            + size_of::<Answer<V>>()
            + key.bytes()
            + answer.value.as_ref().map_or(0, Kept::bytes);
        (bytes as u64).max(self.least)
    }
}

impl<K, V> Clone for Asking<K, V> {
    fn clone(&self) -> Self {
        Self {
            source: Arc::clone(&self.source),
            answers: self.answers.clone(),
            ..*self
        }
    }
}

impl<K, V> fmt::Debug for Asking<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking")
            .field("name", &self.name)
            .field("cache", &self.answers.is_some())
            .field("fresh_for", &self.fresh_for)
            .field("time_limit", &self.time_limit)
            .field("fail_open", &self.fail_open)
            .finish_non_exhaustive()
    }
}
