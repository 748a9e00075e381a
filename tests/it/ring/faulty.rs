//! A store that does what stores should not.

use super::*;
use std::{
    future::pending,
    sync::{Arc, Mutex},
};

/// What is wrong with a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// It can be neither read nor written.
    Unreachable,
    /// It can be read, and not written.
    Unwritable,
    /// It writes, and nobody hears of it.
    LosesAnswers,
    /// It says that there never was a ring.
    Forgets,
    /// It never answers.
    Hangs,
    /// It never answers who writes.
    HangsWhenWritten,
}

/// A [`MemoryStore`] with a fault. Its clones share both.
#[derive(Clone)]
pub(super) struct Faulty {
    store: MemoryStore,
    fault: Arc<Mutex<Fault>>,
}

impl Faulty {
    pub(super) fn new() -> Self {
        Self {
            store: MemoryStore::new(),
            fault: Arc::new(Mutex::new(Fault::None)),
        }
    }

    pub(super) fn becomes(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap()
    }

    /// What is in it, whatever it says.
    pub(super) async fn has(&self) -> StoredRing {
        self.store.load().await.unwrap().unwrap()
    }

    /// Puts something else there, as another program could.
    pub(super) async fn put(&self, ring: StoredRing) {
        let read = self.has().await.epoch();
        let swap = self.store.compare_and_swap(Some(read), ring).await;
        assert_eq!(swap, Ok(Swap::Done));
    }
}

impl KeyStore for Faulty {
    async fn load(&self) -> Result<Option<StoredRing>, KeysUnavailable> {
        match self.fault() {
            Fault::None | Fault::Unwritable | Fault::LosesAnswers | Fault::HangsWhenWritten => {
                self.store.load().await
            }
            Fault::Unreachable => Err(KeysUnavailable::new("no route to the store")),
            Fault::Forgets => Ok(None),
            Fault::Hangs => pending().await,
        }
    }

    async fn compare_and_swap(
        &self,
        read: Option<u64>,
        next: StoredRing,
    ) -> Result<Swap, KeysUnavailable> {
        match self.fault() {
            Fault::None | Fault::Forgets => self.store.compare_and_swap(read, next).await,
            Fault::Unreachable => Err(KeysUnavailable::new("no route to the store")),
            Fault::Unwritable => Err(KeysUnavailable::new("the store is read-only")),
            Fault::LosesAnswers => {
                let _ = self.store.compare_and_swap(read, next).await?;
                Err(KeysUnavailable::new("the connection was closed"))
            }
            Fault::Hangs | Fault::HangsWhenWritten => pending().await,
        }
    }
}
