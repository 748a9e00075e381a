//! Who may write to the directory.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::Path,
    thread,
    time::Duration,
};

/// Held until it is dropped, or its process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

const PAUSE: Duration = Duration::from_millis(20);

impl Lock {
    /// How often it is tried in 5 seconds.
    pub(super) const PATIENCE: u32 = 250;

    /// Tries as often, with pauses; `None` if another held it all the time.
    pub(super) fn acquire(path: &Path, tries: u32) -> io::Result<Option<Self>> {
        for left in (0..tries).rev() {
            if let Some(lock) = Self::try_acquire(path)? {
                return Ok(Some(lock));
            }
            if left > 0 {
                thread::sleep(PAUSE);
            }
        }
        Ok(None)
    }

    /// `None` if another holds it.
    pub(super) fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
        // Before it is opened, as to open a pipe waits for whoever reads from it, and through a link a file
        // would be made elsewhere.
        if fs::symlink_metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(io::Error::other("is no regular file"));
        }
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::of(options.open(path)?, path)
    }

    fn of(file: File, path: &Path) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => Ok(Some(Self { _file: file })),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Whether a file that was opened by this path is still there: somebody may have removed it in between, and
/// locked another.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_directory::TestDirectory;
    #[cfg(unix)]
    use std::process::Command;

    #[test]
    fn one_at_a_time_holds_it() {
        let directory = TestDirectory::new("lock");
        let path = directory.path().join("lock");
        let held = Lock::acquire(&path, 1).unwrap().unwrap();
        assert!(Lock::acquire(&path, 1).unwrap().is_none());
        drop(held);
        assert!(Lock::acquire(&path, 1).unwrap().is_some());
    }

    #[test]
    #[cfg(unix)]
    fn a_pipe_or_a_link_is_refused_and_nothing_waits_for_it() {
        let directory = TestDirectory::new("lock-pipe");
        let pipe = directory.path().join("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|made| made.success()));
        let (link, elsewhere) = (
            directory.path().join("link"),
            directory.path().join("elsewhere"),
        );
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        for path in [pipe, link] {
            let error = Lock::try_acquire(&path).unwrap_err();
            assert_eq!(error.to_string(), "is no regular file");
        }
        assert!(!elsewhere.exists());
    }

    #[test]
    #[cfg(unix)]
    fn a_lock_on_a_file_that_was_removed_meanwhile_is_none() {
        let directory = TestDirectory::new("lock-removed");
        let path = directory.path().join("lock");
        let open = || File::create(&path).unwrap();
        assert!(Lock::of(open(), &path).unwrap().is_some());
        let removed = open();
        fs::remove_file(&path).unwrap();
        assert!(Lock::of(removed, &path).unwrap().is_none());
        let replaced = open();
        fs::remove_file(&path).unwrap();
        let _other = open();
        assert!(Lock::of(replaced, &path).unwrap().is_none());
    }
}
