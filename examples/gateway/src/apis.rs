//! The APIs that are served now, and the one way to change them.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::table::Table;

/// What all requests look into, and a deploy replaces as a whole.
#[derive(Debug)]
pub(crate) struct Apis {
    table: ArcSwap<Table>,
    /// One change after the other, each made from what the last has left.
    turn: Mutex<()>,
}

impl Apis {
    pub(crate) fn new(table: Table) -> Self {
        Self {
            table: ArcSwap::from_pointee(table),
            turn: Mutex::default(),
        }
    }

    /// What is served at this moment.
    pub(crate) fn table(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    /// Serves the table that `change` makes of the one that is served now; nothing changes if it fails.
    /// Blocks while another change is made.
    pub(crate) fn change<T, E>(
        &self,
        change: impl FnOnce(&Table) -> Result<(Table, T), E>,
    ) -> Result<T, E> {
        // Whoever panicked in here has changed nothing: the last step is the only one.
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, outcome) = change(&self.table.load_full())?;
        self.table.store(Arc::new(next));
        Ok(outcome)
    }
}
