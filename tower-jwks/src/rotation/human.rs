//! Durations in words.

use std::{fmt, time::Duration};

/// `37m 0s`: the two largest units.
pub(super) struct Human(pub(super) Duration);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.as_secs();
        let (days, hours) = (secs / 86_400, secs / 3600 % 24);
        let (minutes, secs) = (secs / 60 % 60, secs % 60);
        if days > 0 {
            write!(f, "{days}d {hours}h")
        } else if hours > 0 {
            write!(f, "{hours}h {minutes}m")
        } else if minutes > 0 {
            write!(f, "{minutes}m {secs}s")
        } else {
            write!(f, "{secs}s")
        }
    }
}
