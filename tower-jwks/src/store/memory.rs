//! The store of one process.

use super::{KeyStore, StoredRing, Swap};
use crate::KeysUnavailable;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A store in memory: for rings of one process, and for tests. Its clones share the document.
///
/// ```
/// use tower_jwks::{KeyStore, MemoryStore, StoredRing, Swap};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tower_jwks::KeysUnavailable> {
/// let (one, other) = { let store = MemoryStore::new(); (store.clone(), store) };
/// assert_eq!(one.compare_and_swap(None, StoredRing::new(1, Vec::new())).await?, Swap::Done);
/// assert_eq!(other.load().await?.map(|ring| ring.epoch()), Some(1));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    ring: Mutex<Option<StoredRing>>,
    changed: Notify,
}

impl MemoryStore {
    /// A store with nothing in it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    // A panic elsewhere cannot have left half a document: it is replaced whole.
    fn ring(&self) -> MutexGuard<'_, Option<StoredRing>> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for MemoryStore {
    async fn load(&self) -> Result<Option<StoredRing>, KeysUnavailable> {
        Ok(self.ring().clone())
    }

    async fn compare_and_swap(
        &self,
        read: Option<u64>,
        next: StoredRing,
    ) -> Result<Swap, KeysUnavailable> {
        {
            let mut ring = self.ring();
            if ring.as_ref().map(StoredRing::epoch) != read {
                return Ok(Swap::Conflict);
            }
            *ring = Some(next);
        }
        self.0.changed.notify_waiters();
        Ok(Swap::Done)
    }

    /// A watch sees what is written from the moment it is called.
    fn watch(&self) -> impl Future<Output = ()> + Send {
        self.0.changed.notified()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
        thread,
    };

    /// What is ready at once, as all of a memory store is.
    fn now<T>(future: impl Future<Output = T>) -> T {
        let Poll::Ready(value) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("it waits");
        };
        value
    }

    fn ring(epoch: u64) -> StoredRing {
        StoredRing::new(epoch, epoch.to_string().into_bytes())
    }

    #[test]
    fn of_many_that_have_read_the_same_one_writes() {
        let store = MemoryStore::new();
        for epoch in 1..=20 {
            let read = now(store.load()).unwrap().map(|ring| ring.epoch());
            let writers: Vec<_> = (0..8)
                .map(|_| {
                    let store = store.clone();
                    thread::spawn(move || now(store.compare_and_swap(read, ring(epoch))).unwrap())
                })
                .collect();
            let swaps = writers.into_iter().map(|writer| writer.join().unwrap());
            assert_eq!(swaps.filter(|swap| *swap == Swap::Done).count(), 1);
            assert_eq!(now(store.load()).unwrap().unwrap().epoch(), epoch);
        }
    }

    #[test]
    fn a_conflict_writes_nothing() {
        let store = MemoryStore::new();
        assert_eq!(
            now(store.compare_and_swap(Some(1), ring(2))),
            Ok(Swap::Conflict),
            "nothing was ever written"
        );
        assert!(now(store.load()).unwrap().is_none());
        assert_eq!(now(store.compare_and_swap(None, ring(1))), Ok(Swap::Done));
        assert_eq!(
            now(store.compare_and_swap(None, ring(9))),
            Ok(Swap::Conflict)
        );
        assert_eq!(now(store.load()).unwrap().unwrap().secret_document(), b"1");
    }

    #[test]
    fn a_watch_ends_when_something_was_written_and_not_before() {
        let store = MemoryStore::new();
        let mut watch = pin!(store.watch());
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(watch.as_mut().poll(&mut context), Poll::Pending);
        assert_eq!(
            now(store.compare_and_swap(Some(1), ring(2))),
            Ok(Swap::Conflict)
        );
        assert_eq!(watch.as_mut().poll(&mut context), Poll::Pending);
        assert_eq!(now(store.compare_and_swap(None, ring(1))), Ok(Swap::Done));
        assert_eq!(watch.as_mut().poll(&mut context), Poll::Ready(()));
    }

    #[test]
    fn debug_shows_no_document() {
        let store = MemoryStore::new();
        let ring = StoredRing::new(1, b"secret".to_vec());
        assert!(!format!("{ring:?}").contains("secret"));
        assert_eq!(now(store.compare_and_swap(None, ring)), Ok(Swap::Done));
        let shown = format!("{store:?}");
        assert!(!shown.contains("secret") && !shown.contains(&format!("{:?}", b"secret")));
    }
}
