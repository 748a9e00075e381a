//! Reading the store, and taking what it has.

use super::{
    document::Document,
    events,
    fault::Attempt,
    rotating::Rotating,
    snapshot::Snapshot,
    source::{AnyStore, Source, limited},
};
use crate::{KeysUnavailable, UnixTime};
use std::sync::Arc;
use tokio::task::spawn_blocking;

impl Rotating {
    /// Reads what the store has, and takes it.
    pub(super) async fn read(&self) -> Result<(), KeysUnavailable> {
        let asked_at = self.now();
        let read = self.read_at(asked_at).await;
        self.came_of_it(Attempt::Read, &read);
        read
    }

    async fn read_at(&self, asked_at: UnixTime) -> Result<(), KeysUnavailable> {
        let before = self.current.load_full();
        let document = match &self.source {
            Source::Store(store) => self.read_store(&**store, &before).await?,
            Source::Files(files) => {
                let (files, promise) = (Arc::clone(files), self.policy.promise());
                let (state, keys) = (before.state().clone(), before.keys.clone());
                let read = move || files.read(Some((&state, &keys)), promise, asked_at);
                limited("read", run(read)).await??
            }
        };
        if document.state.epoch == before.state().epoch {
            if document.state != *before.state() {
                return Err(KeysUnavailable::new(
                    "the ring in the store is another than it was, and of the same epoch",
                ));
            }
            self.install(before.confirmed(asked_at));
            return Ok(());
        }
        before
            .view
            .may_become(&document.state)
            .map_err(|older| KeysUnavailable::new(older.to_string()))?;
        // Of a file that lists them, an operator may take one off again.
        if self.source.store().is_ok() {
            let keys = &mut document.state.keys.iter();
            if let Some(key) = keys.find(|key| before.state().was_revoked(&key.kid)) {
                return Err(KeysUnavailable::new(format!(
                    "the ring in the store has a key that was revoked, {:?}",
                    key.kid
                )));
            }
        }
        self.take(document, asked_at);
        Ok(())
    }

    async fn read_store(
        &self,
        store: &dyn AnyStore,
        before: &Snapshot,
    ) -> Result<Document, KeysUnavailable> {
        let Some(stored) = store.load().await? else {
            return Err(KeysUnavailable::new("the store has no ring any more"));
        };
        let kek = self.kek.clone();
        let known = before.keys.clone();
        let read = move || Document::read(&stored, kek.as_ref(), Some(&known));
        let document = run(read).await?.map_err(|cause| what_is_there(&cause))?;
        if document.keys.algorithm != self.algorithm {
            return Err(KeysUnavailable::new(
                "the ring in the store has another algorithm",
            ));
        }
        Ok(document)
    }

    pub(super) fn take(&self, document: Document, asked_at: UnixTime) {
        let before = self.current.load_full();
        let snapshot = Snapshot::new(document, asked_at, &self.policy, Some(&before));
        events::changed(before.state(), snapshot.state());
        self.install(snapshot);
    }

    fn install(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
    }
}

/// An error of a document, which does not say whose it is.
pub(super) fn what_is_there(cause: &KeysUnavailable) -> KeysUnavailable {
    KeysUnavailable::new(format!("what the store has {cause}"))
}

/// Off the workers of the runtime: an RSA key takes a good part of a second to make.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, KeysUnavailable> {
    spawn_blocking(work)
        .await
        .map_err(|_| KeysUnavailable::new("the runtime is shutting down"))
}
