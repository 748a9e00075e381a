//! Where a ring's keys come from: a store of any kind, or the files of others.

use super::files::Files;
use crate::{KeyStore, KeysUnavailable, StoredRing, Swap};
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Longer than any of our stores takes, and shorter than any lease should be.
const LIMIT: Duration = Duration::from_secs(15);

/// Where a ring's keys come from.
pub(super) enum Source {
    /// A store, which the ring writes.
    Store(Box<dyn AnyStore>),
    /// Files, which others write.
    Files(Arc<Files>),
}

impl Source {
    /// What the ring writes to.
    pub(super) fn store(&self) -> Result<&dyn AnyStore, KeysUnavailable> {
        match self {
            Self::Store(store) => Ok(&**store),
            Self::Files(_) => Err(KeysUnavailable::new(
                "the keys are files of others, who add and remove them",
            )),
        }
    }

    /// Ends when something may have changed since this was called.
    pub(super) fn watch(&self) -> Answer<'_, ()> {
        match self {
            Self::Store(store) => store.watch(),
            Self::Files(files) => Box::pin(files.directory().changed()),
        }
    }
}

pub(super) type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A [`KeyStore`] whose type nobody has to know. It is asked seldom enough for boxes.
pub(super) trait AnyStore: Send + Sync {
    fn load(&self) -> Answer<'_, Result<Option<StoredRing>, KeysUnavailable>>;
    fn compare_and_swap(
        &self,
        read: Option<u64>,
        next: StoredRing,
    ) -> Answer<'_, Result<Swap, KeysUnavailable>>;
    fn watch(&self) -> Answer<'_, ()>;
}

impl<S: KeyStore> AnyStore for S {
    fn load(&self) -> Answer<'_, Result<Option<StoredRing>, KeysUnavailable>> {
        Box::pin(limited("read", KeyStore::load(self)))
    }

    fn compare_and_swap(
        &self,
        read: Option<u64>,
        next: StoredRing,
    ) -> Answer<'_, Result<Swap, KeysUnavailable>> {
        Box::pin(limited(
            "written",
            KeyStore::compare_and_swap(self, read, next),
        ))
    }

    fn watch(&self) -> Answer<'_, ()> {
        Box::pin(KeyStore::watch(self))
    }
}

/// A store that hangs is one that cannot be reached.
pub(super) async fn limited<T>(
    done: &str,
    work: impl Future<Output = Result<T, KeysUnavailable>>,
) -> Result<T, KeysUnavailable> {
    timeout(LIMIT, work).await.unwrap_or_else(|_| {
        let seconds = LIMIT.as_secs();
        Err(KeysUnavailable::new(format!(
            "the store could not be {done} within {seconds} seconds"
        )))
    })
}
