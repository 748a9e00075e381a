//! When requests are due.

use std::time::{Duration, Instant};

/// Requests at a steady rate, and which of them are whose.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    pub(super) start: Instant,
    /// A second.
    pub(super) rate: usize,
    pub(super) requests: usize,
    /// They take turns.
    pub(super) senders: usize,
}

impl Schedule {
    /// The numbers of the requests that this sender sends, and when they are due.
    pub(super) fn of(self, sender: usize) -> impl Iterator<Item = (usize, Instant)> {
        (sender..self.requests)
            .step_by(self.senders)
            .map(move |number| (number, self.due(number)))
    }

    pub(super) fn due(self, number: usize) -> Instant {
        self.start + Duration::from_secs_f64(number as f64 / self.rate as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_has_one_sender_and_its_own_time() {
        let schedule = Schedule {
            start: Instant::now(),
            rate: 1000,
            requests: 10,
            senders: 3,
        };
        let mut all: Vec<_> = (0..3).flat_map(|sender| schedule.of(sender)).collect();
        all.sort_unstable();
        for (expected, (number, due)) in all.iter().enumerate() {
            assert_eq!(*number, expected);
            assert_eq!(
                *due,
                schedule.start + Duration::from_millis(expected as u64)
            );
        }
        assert_eq!(all.len(), 10);
    }
}
