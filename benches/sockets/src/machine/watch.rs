//! What else the machine does meanwhile.

use super::usage::{CpuTime, machine_cpu, own_cpu};
use crate::Fault;
use std::time::{Duration, Instant};

/// More than that, in cores, and what is measured is a machine that is busy with other things.
pub(crate) const MOST_OTHERS_CORES: f64 = 0.05;

/// Looks at who uses the machine, from its start on.
#[derive(Debug)]
pub(crate) struct Watch {
    start: Instant,
    own: CpuTime,
    machine: CpuTime,
}

/// Who has used how much of it, in cores.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    pub(crate) elapsed: Duration,
    pub(crate) own_cores: f64,
    pub(crate) others_cores: f64,
}

impl Watch {
    pub(crate) fn start() -> Result<Self, Fault> {
        Ok(Self {
            start: Instant::now(),
            own: own_cpu()?,
            machine: machine_cpu()?,
        })
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// The shares so far. What the server that is measured has used is no other's.
    pub(crate) fn shares(&self, server: Option<CpuTime>) -> Result<Shares, Fault> {
        let elapsed = self.elapsed();
        let cores = |time: CpuTime| time.as_secs_f64() / elapsed.as_secs_f64();
        let own_cores = cores(own_cpu()? - self.own);
        let machine = cores(machine_cpu()? - self.machine);
        Ok(Shares {
            elapsed,
            own_cores,
            others_cores: (machine - own_cores - server.map_or(0.0, cores)).max(0.0),
        })
    }
}

/// Those during which the machine did nothing else, if there are any.
pub(crate) fn undisturbed<T: Clone>(all: &[T], others_cores: impl Fn(&T) -> f64) -> Vec<T> {
    let quiet = all.iter().cloned();
    let quiet: Vec<_> = quiet
        .filter(|one| others_cores(one) <= MOST_OTHERS_CORES)
        .collect();
    if quiet.is_empty() {
        all.to_vec()
    } else {
        quiet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_work_is_not_that_of_others() {
        let watch = Watch::start().unwrap();
        while watch.start.elapsed() < Duration::from_millis(300) {
            std::hint::black_box(&watch);
        }
        let shares = watch.shares(None).unwrap();
        assert!(shares.own_cores > 0.1, "{shares:?}");
        assert!(shares.own_cores + shares.others_cores < 64.0, "{shares:?}");
    }

    #[test]
    fn what_was_disturbed_does_not_count_where_there_is_something_else() {
        assert_eq!(undisturbed(&[0.0, 0.5, 0.01], |one| *one), [0.0, 0.01]);
        assert_eq!(undisturbed(&[0.4, 0.5], |one| *one), [0.4, 0.5]);
    }
}
