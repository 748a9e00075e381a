//! Notices changes in a directory. The directory is watched and not the file, since a file that is
//! replaced, or reached by a symbolic link that is, is another one.

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use std::{
    ffi::OsStr,
    fmt, future,
    path::{self, Path, PathBuf},
    sync::{
        Arc, Mutex, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, task, time};

/// What changes at once is one change.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// Watches from when it is first asked. Its clones share the watcher.
#[derive(Clone)]
pub(crate) struct DirectoryWatch(Arc<Shared>);

struct Shared {
    directory: PathBuf,
    /// Whether a change of what has this name is one.
    relevant: fn(&OsStr) -> bool,
    watcher: Mutex<Option<RecommendedWatcher>>,
    signals: Arc<Signals>,
}

/// What the watcher's own thread tells.
struct Signals {
    changes: watch::Sender<()>,
    /// It watches nothing any more: the directory is gone, or is another one.
    ended: AtomicBool,
}

impl DirectoryWatch {
    pub(crate) fn new(directory: &Path, relevant: fn(&OsStr) -> bool) -> Self {
        Self(Arc::new(Shared {
            directory: path::absolute(directory).unwrap_or_else(|_| directory.to_owned()),
            relevant,
            watcher: Mutex::new(None),
            signals: Arc::new(Signals {
                changes: watch::Sender::new(()),
                ended: AtomicBool::new(false),
            }),
        }))
    }

    /// Ends when something may have changed since this was called. Never, where the directory cannot be watched.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let shared = Arc::clone(&self.0);
        let mut changes = shared.signals.changes.subscribe();
        async move {
            // It asks the system, which may wait for a disk.
            let stood_before = task::spawn_blocking(move || shared.stand()).await;
            // What has changed before the watcher stood was not seen.
            if !stood_before.unwrap_or(true) {
                return;
            }
            match changes.changed().await {
                Ok(()) => time::sleep(DEBOUNCE).await,
                Err(_) => future::pending().await,
            }
        }
    }
}

impl Shared {
    /// Has a watcher stand, if one can. False if it stands only now.
    fn stand(&self) -> bool {
        let mut watcher = match self.watcher.try_lock() {
            Ok(watcher) => watcher,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Another is about it, and does not come to an end maybe.
            Err(TryLockError::WouldBlock) => return true,
        };
        if watcher.is_some() && !self.signals.ended.load(Ordering::Relaxed) {
            return true;
        }
        *watcher = None;
        self.signals.ended.store(false, Ordering::Relaxed);
        *watcher = self.watch().ok();
        watcher.is_none()
    }

    fn watch(&self) -> notify::Result<RecommendedWatcher> {
        let signals = Arc::clone(&self.signals);
        let directory = self.directory.clone();
        let relevant = self.relevant;
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let ended = event.as_ref().map_or(true, |event| ends(event, &directory));
            if ended {
                signals.ended.store(true, Ordering::Relaxed);
            }
            if ended || event.is_ok_and(|event| is_change(&event, relevant)) {
                signals.changes.send_replace(());
            }
        })?;
        watcher.watch(&self.directory, RecursiveMode::NonRecursive)?;
        Ok(watcher)
    }
}

/// To read is no change: whoever reads after each change would be woken by that.
fn is_change(event: &Event, relevant: fn(&OsStr) -> bool) -> bool {
    let reads = match event.kind {
        EventKind::Access(access) => access != AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => false,
    };
    let mut names = event.paths.iter().filter_map(|path| path.file_name());
    event.need_rescan() || !reads && names.any(relevant)
}

fn ends(event: &Event, directory: &Path) -> bool {
    matches!(
        event.kind,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    ) && event.paths.iter().any(|path| path == directory)
}

impl fmt::Debug for DirectoryWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectoryWatch")
            .field("directory", &self.0.directory)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, DataChange, Flag, MetadataKind, RemoveKind, RenameMode};

    #[test]
    fn to_write_is_a_change_and_to_read_is_none() {
        let relevant = |name: &OsStr| name == "ring.json";
        let data = ModifyKind::Data(DataChange::Any);
        let renamed = ModifyKind::Name(RenameMode::To);
        let mode = ModifyKind::Metadata(MetadataKind::Permissions);
        for (kind, change) in [
            (EventKind::Access(AccessKind::Open(AccessMode::Any)), false),
            (EventKind::Access(AccessKind::Read), false),
            (
                EventKind::Access(AccessKind::Close(AccessMode::Read)),
                false,
            ),
            (
                EventKind::Access(AccessKind::Close(AccessMode::Write)),
                true,
            ),
            (EventKind::Create(CreateKind::File), true),
            (EventKind::Modify(data), true),
            (EventKind::Modify(renamed), true),
            (EventKind::Modify(mode), true),
            (EventKind::Remove(RemoveKind::File), true),
            (EventKind::Any, true),
        ] {
            let event = Event::new(kind).add_path("keys/ring.json".into());
            assert_eq!(is_change(&event, relevant), change, "{kind:?}");
            let event = Event::new(kind).add_path("keys/ring.lock".into());
            assert!(!is_change(&event, relevant), "{kind:?} of another file");
        }
        let missed = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(is_change(&missed, relevant));
    }

    #[test]
    fn the_end_of_the_directory_ends_the_watching_and_that_of_a_file_does_not() {
        let removed = Event::new(EventKind::Remove(RemoveKind::Any));
        let directory = Path::new("/keys");
        assert!(ends(&removed.clone().add_path("/keys".into()), directory));
        assert!(!ends(
            &removed.add_path("/keys/ring.json".into()),
            directory
        ));
    }
}
