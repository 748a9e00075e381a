//! Signatures that are made beside the threads that serve requests.

use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::available_parallelism,
};
use tokio::runtime::Handle;

/// What is done aside.
type Job = Box<dyn FnOnce() + Send>;

/// Does jobs on threads for blocking work of the runtime, few at a time, so that signatures take no more
/// than half of the processors from requests that need none. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Signatures(Arc<Mutex<Jobs>>);

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    /// How many threads are at it.
    working: usize,
}

/// With more who wait, whoever comes signs for himself, and is slowed down by it.
const MOST_WAITING: usize = 1024;

impl Signatures {
    /// Has it done soon. Gives it back where there is no runtime, or so many wait already.
    pub(super) fn aside(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Job> {
        let job: Job = Box::new(job);
        let Ok(runtime) = Handle::try_current() else {
            return Err(job);
        };
        let mut jobs = self.jobs();
        if jobs.waiting.len() >= MOST_WAITING {
            return Err(job);
        }
        jobs.waiting.push_back(job);
        if jobs.working < most_working() {
            jobs.working += 1;
            let thread = Working {
                signatures: self.clone(),
                done: false,
            };
            drop(jobs);
            runtime.spawn_blocking(move || thread.work());
        }
        Ok(())
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread at work, or one that is to be.
struct Working {
    signatures: Signatures,
    /// Whether it has been counted off, since there was nothing left to do.
    done: bool,
}

impl Working {
    fn work(mut self) {
        while let Some(job) = self.next() {
            // What it leaves undone, it says by itself.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// The next job. When there is none, nobody relies on this thread from that moment on.
    fn next(&mut self) -> Option<Job> {
        let mut jobs = self.signatures.jobs();
        let job = jobs.waiting.pop_front();
        if job.is_none() {
            jobs.working -= 1;
            self.done = true;
        }
        job
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        // The runtime has ended before it has begun. If it was the only one, nobody does what waits.
        let mut jobs = self.signatures.jobs();
        jobs.working -= 1;
        if jobs.working == 0 {
            let left = std::mem::take(&mut jobs.waiting);
            drop(jobs);
            drop(left);
        }
    }
}

fn most_working() -> usize {
    available_parallelism().map_or(1, |processors| (processors.get() / 2).max(1))
}

impl fmt::Debug for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs = self.jobs();
        f.debug_struct("Signatures")
            .field("waiting", &jobs.waiting.len())
            .field("working", &jobs.working)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn without_a_runtime_a_job_is_given_back() {
        let signatures = Signatures::default();
        let (done, is_done) = mpsc::channel();
        let job = signatures
            .aside(move || done.send(()).unwrap())
            .unwrap_err();
        assert!(is_done.try_recv().is_err());
        job();
        assert_eq!(is_done.try_recv(), Ok(()));
    }

    #[tokio::test]
    async fn jobs_are_done_after_one_that_panics_too() {
        let signatures = Signatures::default();
        let (done, mut is_done) = tokio::sync::mpsc::unbounded_channel();
        for number in 0..100 {
            let done = done.clone();
            let job = move || match number {
                50 => panic!("as it is meant to"),
                number => done.send(number).unwrap(),
            };
            assert!(signatures.aside(job).is_ok());
        }
        drop(done);
        let mut all = Vec::new();
        while let Some(number) = is_done.recv().await {
            all.push(number);
        }
        all.sort_unstable();
        assert_eq!(all, (0..50).chain(51..100).collect::<Vec<_>>());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_job_is_lost_between_two_threads() {
        // A thread that is about to leave does not take a job along that came just then.
        let signatures = Signatures::default();
        for _ in 0..20_000 {
            let (done, is_done) = tokio::sync::oneshot::channel();
            assert!(signatures.aside(move || done.send(()).unwrap()).is_ok());
            assert_eq!(is_done.await, Ok(()));
        }
    }

    #[test]
    fn a_job_for_a_runtime_that_has_ended_is_dropped_and_the_next_one_is_done() {
        struct Told(mpsc::Sender<&'static str>);
        impl Drop for Told {
            fn drop(&mut self) {
                self.0.send("dropped").unwrap();
            }
        }
        let signatures = Signatures::default();
        let (told, is_told) = mpsc::channel();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let ended = runtime.handle().clone();
        runtime.shutdown_background();
        {
            let _in = ended.enter();
            let (undone, told) = (Told(told.clone()), told.clone());
            let job = move || {
                let _undone = undone;
                told.send("done").unwrap();
            };
            assert!(signatures.aside(job).is_ok());
        }
        assert_eq!(is_told.try_recv(), Ok("dropped"));

        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _in = runtime.enter();
        assert!(signatures.aside(move || told.send("done").unwrap()).is_ok());
        assert_eq!(is_told.recv(), Ok("done"));
    }
}
