//! Many scenarios, on all cores, up to the first that breaks.

use super::{explain, generate, promises::Broken, run, world::Counts};
use crate::rotation::rule::{Rule, without};
use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

pub(super) struct Campaign {
    /// Of the first scenario. The next one has the next seed, so that any of them can be repeated alone.
    pub(super) seed: u64,
    pub(super) schedules: u64,
    pub(super) without: Option<Rule>,
    /// Only this counts as a break.
    pub(super) only: Option<Broken>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) schedules: u64,
    pub(super) counts: Counts,
    /// Of all that could have been found, the one with the lowest seed: the same each time.
    pub(super) failure: Option<Failure>,
}

#[derive(Debug)]
pub(super) struct Failure {
    pub(super) seed: u64,
    pub(super) broken: Broken,
}

impl Campaign {
    /// Runs it. What is done is told from time to time.
    pub(super) fn run(&self, progress: impl Fn(&Report) + Sync) -> Report {
        let (next, found) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        let report = Mutex::new(Report {
            schedules: 0,
            counts: Counts::default(),
            failure: None,
        });
        let work = || loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= self.schedules || number > found.load(Ordering::Relaxed) {
                return;
            }
            let seed = self.seed.wrapping_add(number);
            let outcome = self.alone(|| run(&generate::scenario(seed)));
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            report.schedules += 1;
            report.counts.add(&outcome.counts);
            if let Some(broken) = outcome.broken
                && self.only.is_none_or(|only| only == broken.broken)
                && found.fetch_min(number, Ordering::Relaxed) > number
            {
                let broken = broken.broken;
                report.failure = Some(Failure { seed, broken });
            }
            progress(&report);
        };
        let cores = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(work);
            }
        });
        report.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The smallest timeline that breaks as this one does.
    pub(super) fn explain(&self, failure: &Failure) -> String {
        self.alone(|| {
            let scenario = generate::scenario(failure.seed);
            let broken = run(&scenario).broken;
            broken.map_or_else(String::new, |broken| explain(&scenario, &broken))
        })
    }

    fn alone<T>(&self, what: impl FnOnce() -> T) -> T {
        match self.without {
            Some(rule) => without(rule, what),
            None => what(),
        }
    }
}

impl Counts {
    const fn add(&mut self, other: &Self) {
        self.tokens += other.tokens;
        self.verifications += other.verifications;
        self.unavailable += other.unavailable;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts {
            tokens,
            verifications,
            unavailable,
        } = self.counts;
        let failures = match self.failure {
            None => "0 failures",
            Some(_) => "1 failure",
        };
        write!(
            f,
            "{} schedules, {tokens} tokens, {verifications} verifications ({unavailable} unavailable), {failures}",
            self.schedules
        )
    }
}
