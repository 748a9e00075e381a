//! The time of these tests: tokio's, which passes only when every task waits for it.

use std::time::Duration;
use tests::time::NOW;
use tokio::time::Instant;
use tower_jwks::{Clock, UnixTime};

/// Shows [`NOW`] when it is made, and passes as tokio's timers do.
#[derive(Clone, Copy, Debug)]
pub(super) struct TestClock(Instant);

impl TestClock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has been running.
    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixTime {
        NOW.saturating_add(self.elapsed())
    }
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);
