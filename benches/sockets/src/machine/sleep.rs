//! Sleeps that end when they should.

use super::this_thread;
use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// Sleeps until then. Linux lets sleeps last 50 µs longer to save wake-ups, unless the thread asks for less.
pub(crate) fn precise_sleep() -> impl FnMut(Instant) {
    // Where it cannot be asked for, the delay is in the figures, and in `late_us`.
    if let Ok(thread) = this_thread() {
        let _ = fs::write(format!("/proc/{thread}/timerslack_ns"), "1");
    }
    |until| {
        let left = until.saturating_duration_since(Instant::now());
        if left > Duration::ZERO {
            thread::sleep(left);
        }
    }
}
