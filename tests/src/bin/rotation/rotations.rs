//! Who signs with which key, as their tokens tell.

use crate::fleet::{GATEWAYS, Life};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys are numbers here, in the order in which the first tokens of them came.
#[derive(Debug, Default)]
pub(crate) struct Rotations(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    kids: Vec<String>,
    signs: [Option<(Life, usize)>; GATEWAYS],
    rotations: usize,
}

impl Rotations {
    /// # Errors
    ///
    /// The gateway has signed with a newer key before; the number of keys it went back by.
    pub(crate) fn signed(&self, gateway: usize, life: Life, kid: &str) -> Result<(), usize> {
        let mut state = self.state();
        let key = state.kids.iter().position(|known| known == kid);
        let key = key.unwrap_or_else(|| {
            state.kids.push(kid.to_owned());
            state.kids.len() - 1
        });
        let Some(signs) = state.signs.get_mut(gateway) else {
            return Ok(());
        };
        let before = signs.replace((life, key));
        match before {
            Some((same, newer)) if same == life && newer > key => Err(newer - key),
            _ => Ok(()),
        }
    }

    /// How many times all gateways that are there have come to sign with a newer key.
    pub(crate) fn count(&self, lives: [Option<Life>; GATEWAYS]) -> usize {
        let mut state = self.state();
        let oldest = lives
            .into_iter()
            .zip(state.signs)
            .filter_map(|(life, signs)| Some((life?, signs?)))
            .filter(|(life, (signer, _))| life == signer)
            .map(|(_, (_, key))| key)
            .min();
        state.rotations = state.rotations.max(oldest.unwrap_or(0));
        state.rotations
    }

    /// As it was counted last.
    pub(crate) fn counted(&self) -> usize {
        self.state().rotations
    }

    /// Whether the gateway has signed in this life of it.
    pub(crate) fn has_signed(&self, gateway: usize, life: Life) -> bool {
        let signs = self.state().signs.get(gateway).copied().flatten();
        signs.is_some_and(|(signer, _)| signer == life)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
