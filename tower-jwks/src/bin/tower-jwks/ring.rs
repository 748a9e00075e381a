//! The ring in the directory, as the commands see it.

use crate::arguments::Failure;
use std::{fmt, path::PathBuf};
use tower_jwks::{
    Clock, DirectoryStore, KeyEncryptionKey, KeyRing, KeyStore, KeysUnavailable, SystemClock,
    UnixTime,
};

/// A directory that a ring is in, or is to be made in.
pub(crate) struct Ring {
    pub(crate) directory: PathBuf,
    pub(crate) kek: Option<KeyEncryptionKey>,
}

impl Ring {
    pub(crate) const fn new(directory: PathBuf, kek: Option<KeyEncryptionKey>) -> Self {
        Self { directory, kek }
    }

    pub(crate) fn store(&self) -> DirectoryStore {
        DirectoryStore::new(&self.directory)
    }

    /// Whether there is a ring, be it as it may.
    pub(crate) async fn is_there(&self) -> Result<bool, Failure> {
        let stored = self.store().load().await;
        stored
            .map(|stored| stored.is_some())
            .map_err(|error| self.failed(error))
    }

    /// Opens the ring, which is not made if there is none.
    pub(crate) async fn open(&self) -> Result<KeyRing, Failure> {
        if !self.is_there().await? {
            return Err(self.failed(format_args!(
                "there is no ring (`tower-jwks init {}` makes one)",
                self.name()
            )));
        }
        let mut ring = KeyRing::open(self.store()).by_hand();
        if let Some(kek) = &self.kek {
            ring = ring.key_encryption_key(kek.clone());
        }
        ring.await.map_err(|error| self.refused(&error))
    }

    /// What is wrong, with what to do about it where that is known.
    pub(crate) fn refused(&self, error: &KeysUnavailable) -> Failure {
        let error = error.to_string();
        match self.kek.is_none() && error.contains("needs its key-encryption key") {
            true => self.failed(format_args!("{error} (--kek-file or --kek-env)")),
            false => self.failed(error),
        }
    }

    /// With the directory, unless the error names it already.
    pub(crate) fn failed(&self, error: impl fmt::Display) -> Failure {
        let error = error.to_string();
        let name = self.name();
        match error.starts_with(&name) {
            true => Failure::failed(error),
            false => Failure::failed(format!("{name}: {error}")),
        }
    }

    pub(crate) fn name(&self) -> String {
        self.directory.display().to_string()
    }
}

pub(crate) fn now() -> UnixTime {
    SystemClock.now()
}
