//! A file that is replaced, whole or not at all.

use std::{
    collections::hash_map::RandomState,
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    hash::BuildHasher,
    io::{self, Write},
    path::Path,
};

const SUFFIX: &str = ".new";

/// It is on the disk when this returns.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Beside it, as only within one file system is a rename atomic.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:x}{SUFFIX}", RandomState::new().hash_one(())));
    let beside = path.with_file_name(name);
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&beside, path))
        .inspect_err(|_| drop(fs::remove_file(&beside)))?;
    sync_directory(path)
}

/// Removes what others have left who were ended while they wrote. Only for who holds the lock. What cannot
/// be removed is in nobody's way.
pub(super) fn sweep(path: &Path) {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return;
    };
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let other = entry.file_name();
        if other.to_str().is_some_and(|other| is_left(other, name)) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

fn is_left(other: &str, name: &OsStr) -> bool {
    let beside = name.to_str().and_then(|name| other.strip_prefix(name));
    let unique = beside
        .and_then(|rest| rest.strip_prefix('.')?.strip_suffix(SUFFIX))
        .unwrap_or_default();
    !unique.is_empty() && unique.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A rename is a change of the directory.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}
