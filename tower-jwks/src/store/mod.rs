//! Where the document of a ring is kept: one small trait, and the stores that are here.

use crate::KeysUnavailable;
use std::{fmt, future, path::Path, sync::Arc};
use zeroize::Zeroizing;

pub(crate) mod directory;
mod memory;
pub(crate) mod pem_directory;
#[cfg(feature = "notify")]
mod watch;

pub use self::{directory::DirectoryStore, memory::MemoryStore, pem_directory::PemDirectory};

/// Where a ring that rotates keeps its document, shared by all replicas.
///
/// Any replica may write at any time. A store has no leader and no lock that outlives a call; what it
/// owes is that of several that have read the same epoch, one at most writes.
///
/// What is in a document is the ring's. A store takes it for bytes, and keeps them from others' eyes, as
/// they hold private keys.
///
/// ```
/// use tower_jwks::{KeyStore, MemoryStore, StoredRing, Swap};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tower_jwks::KeysUnavailable> {
/// let store = MemoryStore::new();
/// let first = StoredRing::new(1, br#"{"epoch":1}"#.to_vec());
/// assert_eq!(store.compare_and_swap(None, first.clone()).await?, Swap::Done);
/// assert_eq!(store.compare_and_swap(None, first).await?, Swap::Conflict, "there is one by now");
/// assert_eq!(store.load().await?.map(|ring| ring.epoch()), Some(1));
/// # Ok(()) }
/// ```
pub trait KeyStore: Send + Sync + 'static {
    /// The document that is there now; none if none was ever written.
    ///
    /// # Errors
    ///
    /// The store cannot be reached, or what is there is no document. A store never says that there is
    /// none when it cannot know.
    fn load(&self) -> impl Future<Output = Result<Option<StoredRing>, KeysUnavailable>> + Send;

    /// Writes `next` if the store still has the epoch `read`; if that is `None`, only if nothing was
    /// ever written.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load); or it is not known whether it was written: read again.
    fn compare_and_swap(
        &self,
        read: Option<u64>,
        next: StoredRing,
    ) -> impl Future<Output = Result<Swap, KeysUnavailable>> + Send;

    /// Ends when the document may have changed since this was called: call it, load, and then wait for it.
    /// The ring reads from time to time anyway, so that a store need not notice, and may be wrong. By
    /// default it does not end.
    fn watch(&self) -> impl Future<Output = ()> + Send {
        future::pending()
    }
}

/// What a store keeps of a ring: a document whose bytes hold private keys, sealed or not, and its epoch.
///
/// Clones share the bytes, which are wiped from memory with the last of them.
#[derive(Clone)]
pub struct StoredRing {
    epoch: u64,
    document: Arc<Zeroizing<Vec<u8>>>,
}

impl StoredRing {
    /// The document of this epoch.
    ///
    /// ```
    /// use tower_jwks::StoredRing;
    ///
    /// let ring = StoredRing::new(7, br#"{"epoch":7}"#.to_vec());
    /// assert_eq!(ring.epoch(), 7);
    /// assert_eq!(ring.secret_document(), br#"{"epoch":7}"#);
    /// ```
    #[must_use]
    pub fn new(epoch: u64, document: Vec<u8>) -> Self {
        Self {
            epoch,
            document: Arc::new(Zeroizing::new(document)),
        }
    }

    /// The number of the document: the next one written has a higher one.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The bytes to keep. Whoever reads them may be able to sign.
    #[must_use]
    pub fn secret_document(&self) -> &[u8] {
        &self.document
    }
}

impl fmt::Debug for StoredRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredRing")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// What came of an attempt to write. There is no third: a store that does not know says so by an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Swap {
    /// The store now has it.
    Done,
    /// The store has another epoch than was read: nothing was written.
    Conflict,
}

/// What is wrong with a file, or a directory.
fn fault(path: &Path, text: impl fmt::Display) -> KeysUnavailable {
    KeysUnavailable::new(format!("{}: {text}", path.display()))
}
