//! The store that is a directory.

use super::{KeyStore, StoredRing, Swap, fault};
use crate::KeysUnavailable;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::Semaphore, task, time};

pub(crate) mod events;
pub(crate) mod exposure;
mod files;
mod lock;
mod mark;
mod replace;
#[cfg(test)]
mod tests;

use self::files::Files;

/// A store in a directory, which processes of one host share, or of several where it is on a volume of
/// theirs.
///
/// The document is the file `ring.json` in it. It is replaced whole, by a rename, and is nobody's but its
/// owner's (mode 0600, in a directory of 0700). Who writes holds the lock on `ring.lock`, which ends with
/// the process. `ring.epoch` has the highest epoch that was ever written: an older document, one that a
/// backup has put back for instance, is refused, since keys in it may have been revoked since.
///
/// The file system has to have locks that all processes see, atomic renames, and no cache by which a process reads
/// what was there before the last rename. A local one does, and is what this is tested on. A volume of several hosts,
/// NFS for instance, has to be mounted so that locks are the server's (neither `nolock` nor `local_lock`), and names and
/// attributes are not cached (`noac`, `lookupcache=none`). Object storage will not do. All processes have to be of one
/// user.
///
/// A document that is broken, half written or of another program is refused too, and never written over.
///
/// A document that was put there by others is read just as well, through the symbolic links of a Kubernetes
/// secret for instance. With the feature `notify` a change is noticed at once, and without it when the ring
/// reads again.
///
/// Its clones are the same store. Its methods need a tokio runtime, and wait for the disk 10 seconds at most.
///
/// ```
/// use tower_jwks::{DirectoryStore, KeyStore, StoredRing, Swap};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), tower_jwks::KeysUnavailable> {
/// # let path = std::env::temp_dir().join(format!("tower-jwks-doc-{}", std::process::id()));
/// let store = DirectoryStore::new(&path);
/// assert!(store.load().await?.is_none());
/// let ring = StoredRing::new(1, br#"{"epoch":1}"#.to_vec());
/// assert_eq!(store.compare_and_swap(None, ring).await?, Swap::Done);
/// assert!(path.join("ring.json").is_file());
/// # drop(std::fs::remove_dir_all(path));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct DirectoryStore {
    files: Arc<Files>,
    /// One thread at a time: a disk that hangs would otherwise have all those for blocking work.
    turn: Arc<Semaphore>,
    #[cfg(feature = "notify")]
    watch: super::watch::DirectoryWatch,
}

/// More than the patience for the lock.
const TIME_LIMIT: Duration = Duration::from_secs(10);

impl DirectoryStore {
    /// The store in this directory, which is made when something is first written.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::with_files(Files::new(path.into()))
    }

    fn with_files(files: Files) -> Self {
        Self {
            turn: Arc::new(Semaphore::new(1)),
            #[cfg(feature = "notify")]
            watch: super::watch::DirectoryWatch::new(files.directory(), |name| {
                // A mounted secret is exchanged by the renaming of a link, `..data`.
                name == files::DOCUMENT || name.as_encoded_bytes().starts_with(b"..")
            }),
            files: Arc::new(files),
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.files.directory()
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Files) -> Result<T, KeysUnavailable> + Send + 'static,
    ) -> Result<T, KeysUnavailable> {
        let files = Arc::clone(&self.files);
        let turn = Arc::clone(&self.turn);
        let done = async move {
            let turn = turn.acquire_owned().await;
            task::spawn_blocking(move || {
                let _until_done = turn;
                work(&files)
            })
            .await
        };
        match time::timeout(TIME_LIMIT, done).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(fault(self.path(), "the work on it was broken off")),
            Err(_) => Err(fault(
                self.path(),
                format_args!("does not answer within {} seconds", TIME_LIMIT.as_secs()),
            )),
        }
    }
}

impl KeyStore for DirectoryStore {
    async fn load(&self) -> Result<Option<StoredRing>, KeysUnavailable> {
        self.blocking(Files::load).await
    }

    async fn compare_and_swap(
        &self,
        read: Option<u64>,
        next: StoredRing,
    ) -> Result<Swap, KeysUnavailable> {
        self.blocking(move |files| files.swap(read, &next)).await
    }

    #[cfg(feature = "notify")]
    fn watch(&self) -> impl Future<Output = ()> + Send {
        self.watch.changed()
    }
}
