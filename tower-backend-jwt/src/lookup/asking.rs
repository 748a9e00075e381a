//! Asking a source: what it said lately, one question at a time for a key, and only for so long.

use crate::refusal::{Refusal, RefusalReason};
use quick_cache::{Weighter, sync::Cache};
use std::{fmt, future::Future, hash::Hash, pin::Pin, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// A source of any kind.
pub(super) type Ask<K, V> =
    dyn Fn(K) -> Pin<Box<dyn Future<Output = Result<V, Refusal>> + Send>> + Send + Sync;

/// A source with what it said lately. Clones share that.
pub(super) struct Asking<K, V> {
    source: Arc<Ask<K, V>>,
    answers: Option<Arc<Cache<K, Answer<V>, Weight>>>,
    pub(super) fresh_for: Duration,
    pub(super) time_limit: Duration,
    pub(super) fail_open: bool,
}

#[derive(Clone)]
struct Answer<V> {
    value: V,
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

/// As good as for ever, where the clock has no longer.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

impl<K, V> Asking<K, V>
where
    K: Kept + Clone + Eq + Hash + Send + Sync + 'static,
    V: Kept + Clone + Send + Sync + 'static,
{
    pub(super) fn new(source: Arc<Ask<K, V>>) -> Self {
        Self {
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

    /// What the source said lately.
    pub(super) fn known(&self, key: &K) -> Option<V> {
        let answer = self.answers.as_ref()?.get(key)?;
        (Instant::now() < answer.until).then_some(answer.value)
    }

    /// Asks the source, or waits for the answer to one who has asked the same. `None`: it has failed, and
    /// that is to be borne.
    pub(super) async fn ask(self, key: K) -> Result<Option<V>, Refusal> {
        let answer = match timeout(self.time_limit, self.answer(key)).await {
            Ok(answer) => answer,
            Err(_) => Err(Refusal::source_unavailable().with_detail(format!(
                "no answer within {} ms",
                self.time_limit.as_millis()
            ))),
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

    async fn answer(&self, key: K) -> Result<V, Refusal> {
        let Some(answers) = &self.answers else {
            return (self.source)(key).await;
        };
        loop {
            match answers.get_value_or_guard_async(&key).await {
                Ok(answer) if Instant::now() < answer.until => return Ok(answer.value),
                Ok(_) => {
                    let now = Instant::now();
                    answers.remove_if(&key, |answer| answer.until <= now);
                }
                // Whoever gives up on the way leaves the question to the next; a failure is not kept.
                Err(question) => {
                    let value = (self.source)(key.clone()).await?;
                    let fresh_for = if value.is_nothing() {
                        self.fresh_for.min(NOTHING_FOR)
                    } else {
                        self.fresh_for
                    };
                    let now = Instant::now();
                    let until = now.checked_add(fresh_for).unwrap_or(now + LONGEST);
                    let answer = Answer {
                        value: value.clone(),
                        until,
                    };
                    // Only if nobody has taken the place meanwhile.
                    let _ = question.insert(answer);
                    return Ok(value);
                }
            }
        }
    }
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
        let bytes = size_of::<K>() + size_of::<Answer<V>>() + key.bytes() + answer.value.bytes();
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
            .field("cache", &self.answers.is_some())
            .field("fresh_for", &self.fresh_for)
            .field("time_limit", &self.time_limit)
            .field("fail_open", &self.fail_open)
            .finish_non_exhaustive()
    }
}
