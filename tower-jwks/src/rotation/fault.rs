//! What keeps a ring from its store.

use super::{events, rotating::Rotating};
use crate::KeysUnavailable;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was to be done with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    Read,
    Write,
}

/// What keeps the store from being read or written, or what is in it from being taken.
#[derive(Default)]
pub(super) struct Faults(Mutex<Option<Fault>>);

#[derive(Clone)]
pub(super) struct Fault {
    attempt: Attempt,
    pub(super) error: KeysUnavailable,
    /// In a row.
    pub(super) times: u32,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Option<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault that this attempt has ended, if it has ended one.
    fn end(&self, attempt: Attempt) -> Option<Fault> {
        self.lock().take_if(|fault| fault.attempt == attempt)
    }

    /// How often in a row it has failed by now.
    fn add(&self, attempt: Attempt, error: &KeysUnavailable) -> u32 {
        let mut fault = self.lock();
        let before = fault.as_ref().map_or(0, |fault| fault.times);
        let times = before.saturating_add(1);
        *fault = Some(Fault {
            attempt,
            error: error.clone(),
            times,
        });
        times
    }
}

impl Rotating {
    pub(super) fn fault(&self) -> Option<Fault> {
        self.faults.lock().clone()
    }

    /// A store that can be read and not written is at fault until it was written, or need not be.
    pub(super) fn came_of_it(&self, attempt: Attempt, outcome: &Result<(), KeysUnavailable>) {
        // Told of without the lock: whoever hears of it may ask for the status.
        match outcome {
            Ok(()) => {
                if let Some(fault) = self.faults.end(attempt) {
                    events::recovered(fault.times);
                }
            }
            Err(error) => events::failed(error, self.faults.add(attempt, error)),
        }
    }
}
