//! The time of the tests.

use tower_jwks::{ManualClock, UnixTime};

/// When the tests take place: 2026-02-03T04:05:06Z.
pub const NOW: UnixTime = UnixTime::from_secs(1_770_091_506);

/// A clock that shows [`NOW`] until it is moved.
#[must_use]
pub fn clock() -> ManualClock {
    ManualClock::new(NOW)
}
