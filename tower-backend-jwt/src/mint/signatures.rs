//! Signatures that are made beside the threads that serve requests.

use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, available_parallelism},
    time::Duration,
};

/// What is done aside.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// Does jobs on threads of its own, few at a time, so that signatures leave half of the processors to requests
/// that need none. Clones share them.
///
/// Not on those that a runtime has for blocking work: a program may fill these with work that takes for ever, and
/// a new token would wait for it.
#[derive(Clone)]
pub(super) struct Signatures(Arc<Shared>);

struct Shared {
    jobs: Mutex<Jobs>,
    wanted: Condvar,
    most_threads: usize,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    threads: usize,
    /// Those of them that have nothing to do.
    idle: usize,
}

/// With more who wait, whoever comes has it done on the spot: each new token then slows its worker down.
const MOST_WAITING: usize = 1024;

/// With more who wait, what can wait does: it is asked for again.
const FEW_WAITING: usize = 64;

/// How long a thread stays when there is nothing to do.
const LINGER: Duration = Duration::from_secs(10);

impl Signatures {
    /// Has it done soon. Gives it back where so many wait already, or the system has no thread to give.
    pub(super) fn aside(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Job> {
        self.push(Box::new(job), MOST_WAITING)
    }

    /// The same for what can wait. Whether it will be done.
    pub(super) fn when_there_is_time(&self, job: impl FnOnce() + Send + 'static) -> bool {
        self.push(Box::new(job), FEW_WAITING).is_ok()
    }

    fn push(&self, job: Job, most_waiting: usize) -> Result<(), Job> {
        let mut jobs = self.0.jobs();
        if jobs.waiting.len() >= most_waiting {
            return Err(job);
        }
        // Each idle thread takes one of those that wait already.
        if jobs.idle <= jobs.waiting.len() && jobs.threads < self.0.most_threads {
            let shared = Arc::clone(&self.0);
            let name = "backend-jwt".to_owned();
            match thread::Builder::new()
                .name(name)
                .spawn(move || shared.work())
            {
                Ok(_) => jobs.threads += 1,
                Err(_) if jobs.threads == 0 => return Err(job),
                Err(_) => {}
            }
        }
        jobs.waiting.push_back(job);
        drop(jobs);
        self.0.wanted.notify_one();
        Ok(())
    }
}

impl Shared {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // What it leaves undone, it says by itself.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// The next job. When there has been none for a while, nobody relies on this thread from that moment on.
    fn next(&self) -> Option<Job> {
        let mut jobs = self.jobs();
        jobs.idle += 1;
        let waited = self
            .wanted
            .wait_timeout_while(jobs, LINGER, |jobs| jobs.waiting.is_empty());
        (jobs, _) = waited.unwrap_or_else(PoisonError::into_inner);
        jobs.idle -= 1;
        let job = jobs.waiting.pop_front();
        if job.is_none() {
            jobs.threads -= 1;
        }
        job
    }
}

impl Default for Signatures {
    fn default() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Shared {
            jobs: Mutex::default(),
            wanted: Condvar::new(),
            most_threads: (processors / 2).max(1),
        }))
    }
}

impl fmt::Debug for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs = self.0.jobs();
        f.debug_struct("Signatures")
            .field("waiting", &jobs.waiting.len())
            .field("threads", &jobs.threads)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn jobs_are_done_after_one_that_panics_too() {
        let signatures = Signatures::default();
        let (done, is_done) = mpsc::channel();
        for number in 0..100 {
            let done = done.clone();
            let job = move || match number {
                50 => panic!("as it is meant to"),
                number => done.send(number).unwrap(),
            };
            assert!(signatures.aside(job).is_ok());
        }
        drop(done);
        let mut all: Vec<_> = is_done.iter().collect();
        all.sort_unstable();
        assert_eq!(all, (0..50).chain(51..100).collect::<Vec<_>>());
    }

    #[test]
    fn no_job_is_lost_between_one_and_the_next() {
        let signatures = Signatures::default();
        let (done, is_done) = mpsc::channel();
        for number in 0..20_000 {
            let done = done.clone();
            assert!(signatures.aside(move || done.send(number).unwrap()).is_ok());
            assert_eq!(is_done.recv(), Ok(number));
        }
    }

    #[test]
    fn only_so_many_wait_and_fewer_of_those_that_can() {
        let signatures = Signatures::default();
        let most_threads = signatures.0.most_threads;
        let (go, may_go) = mpsc::channel::<()>();
        let may_go = Arc::new(Mutex::new(may_go));
        let (begun, has_begun) = mpsc::channel();
        // Every thread is at work for as long as it takes.
        for _ in 0..most_threads {
            let (begun, may_go) = (begun.clone(), Arc::clone(&may_go));
            let job = move || {
                begun.send(()).unwrap();
                let _ = may_go.lock().unwrap().recv();
            };
            assert!(signatures.aside(job).is_ok());
            has_begun.recv().unwrap();
        }
        for _ in 0..FEW_WAITING {
            assert!(signatures.when_there_is_time(|| {}));
        }
        assert!(!signatures.when_there_is_time(|| {}));
        for _ in FEW_WAITING..MOST_WAITING {
            assert!(signatures.aside(|| {}).is_ok());
        }
        let (done, is_done) = mpsc::channel();
        let back = signatures.aside(move || done.send(()).unwrap());
        back.expect_err("so many wait already")();
        assert_eq!(is_done.recv(), Ok(()));
        drop(go);
    }
}
