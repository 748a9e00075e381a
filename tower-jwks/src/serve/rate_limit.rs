//! A limit on how often the key set is handed out.

use crate::{Clock, ConfigError, UnixTime};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// So many requests in a window that starts with the first of them.
pub(super) struct RateLimit {
    quota: u32,
    window: Duration,
    clock: Arc<dyn Clock>,
    current: Mutex<Window>,
}

struct Window {
    start: UnixTime,
    taken: u32,
}

impl RateLimit {
    pub(super) fn new(
        quota: u32,
        window: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let wrong = |message| Err(ConfigError::new("rate limit", message));
        if quota == 0 {
            return wrong("has a quota of none");
        }
        if window < Duration::from_secs(1) {
            return wrong("has a window of less than a second");
        }
        Ok(Self {
            quota,
            window,
            current: Mutex::new(Window {
                start: clock.now(),
                taken: 0,
            }),
            clock,
        })
    }

    /// The same limit by another clock, with nothing taken yet.
    pub(super) fn by(&self, clock: Arc<dyn Clock>) -> Self {
        Self {
            quota: self.quota,
            window: self.window,
            current: Mutex::new(Window {
                start: clock.now(),
                taken: 0,
            }),
            clock,
        }
    }

    /// Takes one request from the quota, or tells how long the caller should wait.
    pub(super) fn take(&self) -> Result<(), Duration> {
        let now = self.clock.now();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that went backwards starts a new window rather than one that never ends.
        if now >= current.start.saturating_add(self.window) || now < current.start {
            *current = Window {
                start: now,
                taken: 0,
            };
        }
        if current.taken < self.quota {
            current.taken += 1;
            return Ok(());
        }
        Err(current
            .start
            .saturating_add(self.window)
            .saturating_since(now))
    }
}
