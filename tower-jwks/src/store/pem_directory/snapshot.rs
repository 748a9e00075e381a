//! The files of a directory, as they all were at one moment.

use crate::{KeysUnavailable, UnixTime, secret_file, store::fault};
use std::{
    collections::BTreeMap,
    fs::{self, Metadata},
    io,
    path::Path,
    time::SystemTime,
};
use zeroize::Zeroizing;

/// The file with the `kid`s of compromised keys.
pub(super) const REVOKED: &str = "revoked";

const MAX_FILES: usize = 64;
const MAX_BYTES: u64 = 64 * 1024;

/// A mounted secret is exchanged by one rename, which a second try does not meet again.
const TRIES: u32 = 5;

pub(super) struct Snapshot(Vec<FoundFile>);

pub(super) struct FoundFile {
    pub(super) name: String,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) modified: UnixTime,
    /// When it came to be what it is. A copy may say of itself that it was changed long ago.
    pub(super) placed: UnixTime,
}

/// The files by name; what each is, if it is anything.
type Listing = BTreeMap<String, Option<Stamp>>;

/// Differs when a file is another one, or was written to.
#[derive(PartialEq)]
struct Stamp {
    identity: (u64, u64),
    changed: (i64, i64),
    modified: Option<SystemTime>,
    length: u64,
}

impl Snapshot {
    pub(super) fn take(directory: &Path) -> Result<Self, KeysUnavailable> {
        Self::take_while(directory, || ())
    }

    /// `between` happens each time between the listing of the files and their reading.
    pub(super) fn take_while(
        directory: &Path,
        mut between: impl FnMut(),
    ) -> Result<Self, KeysUnavailable> {
        let list = || list(directory).map_err(|error| fault(directory, error));
        for _ in 0..TRIES {
            let before = list()?;
            if before.len() > MAX_FILES {
                let text = format!("there are more than {MAX_FILES} files of keys in it");
                return Err(fault(directory, text));
            }
            between();
            // A file that cannot be read may be one that is just being exchanged.
            let files: Result<Vec<FoundFile>, KeysUnavailable> = before
                .keys()
                .map(|name| FoundFile::read(directory, name))
                .collect();
            if list()? == before {
                return files.map(Self);
            }
        }
        Err(fault(directory, "it changes all the time while it is read"))
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &FoundFile> {
        self.0.iter()
    }

    pub(super) fn file(&self, name: &str) -> Option<&FoundFile> {
        self.0.iter().find(|file| file.name == name)
    }
}

impl FoundFile {
    fn read(directory: &Path, name: &str) -> Result<Self, KeysUnavailable> {
        let path = directory.join(name);
        let read = || {
            let file = secret_file::read(&path, MAX_BYTES)?;
            let modified = file
                .metadata
                .modified()?
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            let modified = UnixTime::from_secs(modified.as_secs());
            Ok(Self {
                name: name.to_owned(),
                placed: placed(&file.metadata).max(modified),
                bytes: file.bytes,
                modified,
            })
        };
        read().map_err(|error: io::Error| fault(&path, error))
    }
}

/// The time of the last change of the file's own entry, which nobody chooses.
#[cfg(unix)]
fn placed(metadata: &Metadata) -> UnixTime {
    let changed = std::os::unix::fs::MetadataExt::ctime(metadata);
    UnixTime::from_secs(u64::try_from(changed).unwrap_or_default())
}

#[cfg(not(unix))]
fn placed(_: &Metadata) -> UnixTime {
    UnixTime::from_secs(0)
}

fn list(directory: &Path) -> io::Result<Listing> {
    let mut listing = Listing::new();
    for entry in fs::read_dir(directory)? {
        let Ok(name) = entry?.file_name().into_string() else {
            continue;
        };
        if !is_read(&name) {
            continue;
        }
        // Through a link, as those of a mounted secret stay while what they lead to is exchanged.
        let stamp = match fs::metadata(directory.join(&name)) {
            Ok(metadata) if metadata.is_dir() => continue,
            Ok(metadata) => Some(Stamp::new(&metadata)),
            Err(_) => None,
        };
        listing.insert(name, stamp);
        if listing.len() > MAX_FILES {
            break;
        }
    }
    Ok(listing)
}

/// What begins with a dot is somebody's scaffolding: `..data` of a mounted secret, a file half written.
fn is_read(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    !name.starts_with('.') && (name == REVOKED || matches!(ending, Some("pem" | "key" | "crt")))
}

impl Stamp {
    fn new(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let (identity, changed) = {
            use std::os::unix::fs::MetadataExt;
            (
                (metadata.dev(), metadata.ino()),
                (metadata.ctime(), metadata.ctime_nsec()),
            )
        };
        #[cfg(not(unix))]
        let (identity, changed) = Default::default();
        Self {
            identity,
            changed,
            modified: metadata.modified().ok(),
            length: metadata.len(),
        }
    }
}
