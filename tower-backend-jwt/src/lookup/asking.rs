//! Asking a source: what it said lately, one question at a time for a key, and only for so long.

use super::answers::{Answers, Found, Question, Said};
use crate::{
    refusal::{Refusal, RefusalReason},
    trace,
};
use std::{
    fmt,
    future::{Future, poll_fn},
    hash::Hash,
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// A source of any kind.
pub(super) type Ask<K, V> =
    dyn Fn(K) -> Pin<Box<dyn Future<Output = Said<V>> + Send>> + Send + Sync;

/// A source with what it said lately. Clones share that.
pub(super) struct Asking<K, V> {
    /// What is asked for, for the log.
    name: &'static str,
    source: Arc<Ask<K, V>>,
    answers: Option<Arc<Answers<K, V>>>,
    pub(super) fresh_for: Duration,
    pub(super) time_limit: Duration,
    pub(super) fail_open: bool,
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
            answers: Some(Answers::new(10_000, 16 * 1024 * 1024)),
            fresh_for: Duration::from_secs(60),
            time_limit: Duration::from_secs(2),
            fail_open: false,
        }
    }

    pub(super) fn set_cache(&mut self, entries: usize, bytes: u64) {
        self.answers = (entries > 0).then(|| Answers::new(entries, bytes));
    }

    /// What the source said lately; a failure is none of it.
    pub(super) fn known(&self, key: &K) -> Option<V> {
        self.answers.as_ref()?.known(key)?.ok()
    }

    /// Asks the source, or waits for the answer to one who has asked the same. `None`: it has failed, and
    /// that is to be borne.
    pub(super) async fn ask(self, key: K) -> Result<Option<V>, Refusal> {
        let answer = match &self.answers {
            None => self.question(key).await,
            Some(answers) => self.shared(answers, &key).await,
        };
        match answer {
            Ok(value) => Ok(Some(value)),
            Err(refusal)
                if self.fail_open && refusal.reason() == RefusalReason::SourceUnavailable =>
            {
                trace::failed_open(&refusal);
                Ok(None)
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// One question at a time for a key: who comes meanwhile gets the answer to it, be it a failure.
    async fn shared(&self, answers: &Arc<Answers<K, V>>, key: &K) -> Said<V> {
        let deadline = after(self.time_limit);
        let awaited = match answers.find(key) {
            Found::Answer(said) => return said,
            Found::Asked(awaited) => awaited,
            Found::Nothing(question, awaited) => {
                let mut answer = Box::pin(trace::in_this_span(self.clone().answer(question)));
                let at_once = poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx).is_ready())).await;
                if !at_once {
                    // Apart from the request, which its caller can end: the question would end with it, for all who
                    // wait, and whoever hangs up again and again could keep it from ever being answered.
                    tokio::spawn(answer);
                }
                awaited
            }
        };
        // Whoever asked may have the time limit of another layer over this memory.
        let failed = match timeout_at(deadline, awaited.answer()).await {
            Ok(Some(said)) => return said,
            Ok(None) => Refusal::source_unavailable().with_detail("the question was not finished"),
            Err(_) => self.late(),
        };
        Err(failed.of_source(self.name))
    }

    async fn answer(self, question: Question<K, V>) {
        let said = self.question(question.key().clone()).await;
        let until = after(self.believed_for(&said));
        question.end(said, until);
    }

    async fn question(&self, key: K) -> Said<V> {
        let answer = match timeout_at(after(self.time_limit), (self.source)(key)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.late()),
        };
        answer.map_err(|refusal| refusal.of_source(self.name))
    }

    fn late(&self) -> Refusal {
        let limit = self.time_limit.as_millis();
        Refusal::source_unavailable().with_detail(format!("no answer within {limit} ms"))
    }

    fn believed_for(&self, answer: &Said<V>) -> Duration {
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
