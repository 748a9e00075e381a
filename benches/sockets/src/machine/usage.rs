//! The CPU time that processes have used.

use crate::Fault;
use std::{fs, ops::Sub, path::Path, time::Duration};

/// Linux shows times in hundredths of a second on every architecture (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// CPU time, user and system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CpuTime(Duration);

impl CpuTime {
    pub(crate) const fn as_secs_f64(self) -> f64 {
        self.0.as_secs_f64()
    }

    pub(crate) const fn micros(self) -> f64 {
        self.0.as_secs_f64() * 1e6
    }
}

impl Sub for CpuTime {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

/// Of all threads that the process has, to the nanosecond, as the scheduler counts.
///
/// A thread that runs has its time counted at the next tick: ask when the process has nothing to do.
pub(crate) fn threads_cpu(process: u32) -> Result<CpuTime, Fault> {
    let tasks = Path::new("/proc").join(process.to_string()).join("task");
    let mut nanoseconds = 0;
    for task in fs::read_dir(tasks)? {
        // A thread may end in between; those that work do not.
        if let Ok(statistics) = fs::read_to_string(task?.path().join("schedstat")) {
            nanoseconds += running(&statistics)?;
        }
    }
    Ok(CpuTime(Duration::from_nanos(nanoseconds)))
}

/// Of the thread that calls.
pub(crate) fn this_threads_cpu() -> Result<CpuTime, Fault> {
    // Who gives way has the time counted up to now.
    std::thread::yield_now();
    let statistics = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(CpuTime(Duration::from_nanos(running(&statistics)?)))
}

fn running(schedstat: &str) -> Result<u64, Fault> {
    let running = schedstat.split_whitespace().next();
    Ok(running.ok_or("an empty schedstat")?.parse()?)
}

/// Of all that runs on the machine, in steps of 10 ms.
pub(crate) fn machine_cpu() -> Result<CpuTime, Fault> {
    let statistics = fs::read_to_string("/proc/stat")?;
    let mut fields = statistics.split_whitespace().skip(1);
    let mut ticks = 0;
    // user, nice, system; idle and iowait are no work; irq, softirq, steal.
    for (field, text) in fields.by_ref().take(8).enumerate() {
        if field != 3 && field != 4 {
            ticks += text.parse::<u32>()?;
        }
    }
    Ok(CpuTime(TICK * ticks))
}

/// Of this process, its ended threads included, in steps of 10 ms.
pub(crate) fn own_cpu() -> Result<CpuTime, Fault> {
    let line = fs::read_to_string("/proc/self/stat")?;
    // The second field is the name, in brackets, and may contain anything.
    let (_, rest) = line.rsplit_once(')').ok_or("a line without a name")?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = 0;
    for field in fields.by_ref().take(2) {
        ticks += field.parse::<u32>()?;
    }
    Ok(CpuTime(TICK * ticks))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn work_is_counted() {
        let of_threads = threads_cpu(std::process::id()).unwrap();
        let own = own_cpu().unwrap();
        let machine = machine_cpu().unwrap();
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(200) {
            std::hint::black_box(start);
        }
        std::thread::sleep(Duration::from_millis(5));
        let of_threads = threads_cpu(std::process::id()).unwrap() - of_threads;
        assert!(of_threads.as_secs_f64() > 0.02, "{of_threads:?}");
        assert!((own_cpu().unwrap() - own).as_secs_f64() > 0.02);
        assert!((machine_cpu().unwrap() - machine).as_secs_f64() > 0.02);
    }
}
