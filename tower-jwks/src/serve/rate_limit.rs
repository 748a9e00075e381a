//! A limit on how often the key set is handed out.

use crate::{ConfigError, UnixTime};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// So many requests in a window that starts with the first of them.
pub(super) struct RateLimit {
    quota: u32,
    window: Duration,
    current: Mutex<Option<Window>>,
}

struct Window {
    start: UnixTime,
    taken: u32,
}

impl RateLimit {
    pub(super) fn new(quota: u32, window: Duration) -> Result<Self, ConfigError> {
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
            current: Mutex::new(None),
        })
    }

    /// Takes one request from the quota, or tells how long the caller should wait.
    pub(super) fn take(&self, now: UnixTime) -> Result<(), Duration> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let end = |window: &Window| window.start.saturating_add(self.window);
        match &mut *current {
            // A clock that went backwards starts a new window rather than one that never ends.
            Some(window) if window.start <= now && now < end(window) => {
                if window.taken == self.quota {
                    return Err(end(window).saturating_since(now));
                }
                window.taken += 1;
            }
            other => {
                *other = Some(Window {
                    start: now,
                    taken: 1,
                });
            }
        }
        Ok(())
    }
}
