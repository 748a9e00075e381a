//! The document in the directory: read, judged, replaced. All of it blocks.

use super::{
    events,
    exposure::exposure,
    fault,
    lock::Lock,
    mark::Mark,
    replace::{replace, sweep},
};
use crate::{
    KeysUnavailable,
    jwk::without_values,
    secret_file,
    store::{StoredRing, Swap},
};
use serde::Deserialize;
use std::{
    fs::DirBuilder,
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

pub(super) const DOCUMENT: &str = "ring.json";

/// Some hundred keys of the largest size.
const MAX_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    document: PathBuf,
    lock: PathBuf,
    mark: Mark,
    lock_tries: u32,
    told_of_exposure: AtomicBool,
}

/// What of a document is the store's concern.
#[derive(Deserialize)]
struct Head {
    epoch: u64,
}

impl Files {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self {
            document: directory.join(DOCUMENT),
            lock: directory.join("ring.lock"),
            mark: Mark::in_directory(&directory),
            directory,
            lock_tries: Lock::PATIENCE,
            told_of_exposure: AtomicBool::new(false),
        }
    }

    #[cfg(test)]
    pub(super) fn with_lock_tries(self, lock_tries: u32) -> Self {
        Self { lock_tries, ..self }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn load(&self) -> Result<Option<StoredRing>, KeysUnavailable> {
        let (ring, mark) = self.read()?;
        if let Some(epoch) = ring.as_ref().map(StoredRing::epoch)
            && mark.is_none_or(|mark| mark < epoch)
            // Where nothing can be written, as in a mounted secret, nothing has to be.
            && let Ok(Some(_lock)) = Lock::try_acquire(&self.lock)
        {
            drop(self.mark.raise(epoch));
        }
        Ok(ring)
    }

    pub(super) fn swap(
        &self,
        read: Option<u64>,
        next: &StoredRing,
    ) -> Result<Swap, KeysUnavailable> {
        if self.epoch_of(next.secret_document())? != next.epoch() {
            return Err(self.refused("a document that is to be written tells another epoch"));
        }
        self.make_directory()
            .map_err(|error| fault(&self.directory, error))?;
        let lock =
            Lock::acquire(&self.lock, self.lock_tries).map_err(|error| fault(&self.lock, error))?;
        let Some(_lock) = lock else {
            return Err(fault(&self.lock, "another process holds it all the time"));
        };
        let (there, _) = self.read()?;
        let there = there.as_ref().map(StoredRing::epoch);
        if there != read {
            return Ok(Swap::Conflict);
        }
        if there.is_some_and(|there| there >= next.epoch()) {
            return Err(self.refused("a document that is to be written has no higher epoch"));
        }
        sweep(&self.document);
        sweep(self.mark.path());
        replace(&self.document, next.secret_document()).map_err(|error| self.refused(error))?;
        // The document is there, which is what counts; a later load tries again.
        if let Err(error) = self.mark.raise(next.epoch()) {
            events::unmarked(&error.to_string());
        }
        Ok(Swap::Done)
    }

    /// The document and the mark, which agree.
    fn read(&self) -> Result<(Option<StoredRing>, Option<u64>), KeysUnavailable> {
        // The mark first: it is written last, so that a document that is read later is never below it.
        let mark = self.mark.read()?;
        let ring = self.document()?;
        let Some(mark) = mark else {
            return Ok((ring, None));
        };
        let meant = format_args!(
            "remove {} if that is meant, while no process has the ring open",
            self.mark.path().display()
        );
        match &ring {
            Some(ring) if ring.epoch() < mark => Err(self.refused(format_args!(
                "is an older document, of epoch {} where there was {mark} before ({meant})",
                ring.epoch()
            ))),
            Some(_) => Ok((ring, Some(mark))),
            None => Err(self.refused(format_args!(
                "is gone, and was there with epoch {mark} ({meant})"
            ))),
        }
    }

    fn document(&self) -> Result<Option<StoredRing>, KeysUnavailable> {
        let mut file = match secret_file::read(&self.document, MAX_BYTES as u64) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match self.document.symlink_metadata() {
                    Ok(_) => Err(self.refused("is a link to what is not there")),
                    Err(_) => Ok(None),
                };
            }
            Err(error) => return Err(self.refused(error)),
        };
        let epoch = self.epoch_of(&file.bytes)?;
        if let Some(how) = exposure(&file.metadata)
            && !self.told_of_exposure.swap(true, Ordering::Relaxed)
        {
            events::exposed(&self.document, &how);
        }
        let bytes = std::mem::take(&mut *file.bytes);
        Ok(Some(StoredRing::new(epoch, bytes)))
    }

    fn epoch_of(&self, document: &[u8]) -> Result<u64, KeysUnavailable> {
        if document.len() > MAX_BYTES {
            return Err(self.refused(format_args!("has more than {MAX_BYTES} bytes")));
        }
        let head: Result<Head, _> = serde_json::from_slice(document);
        head.map(|head| head.epoch).map_err(|error| {
            let error = without_values(&error);
            self.refused(format_args!("is no document of a ring: {error}"))
        })
    }

    fn make_directory(&self) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.directory)
    }

    fn refused(&self, text: impl std::fmt::Display) -> KeysUnavailable {
        fault(&self.document, text)
    }
}
