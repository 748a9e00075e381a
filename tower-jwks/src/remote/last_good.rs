//! The copy on disk of the keys that were fetched last.

use super::state::Trusted;
use crate::{JwkSet, UnixTime, jwk::without_values};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{
    collections::hash_map::RandomState,
    fmt,
    fs::{self, File},
    hash::BuildHasher,
    io::{self, Read, Write},
    path::PathBuf,
};

/// The copy of one issuer's keys.
#[derive(Clone, Debug)]
pub(super) struct LastGood {
    file: PathBuf,
    issuer: String,
    /// Where the keys are, if that is known without asking.
    jwks_uri: Option<String>,
}

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Document<'a> {
    issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<String>,
    fetched_at: u64,
    usable_until: u64,
    #[serde(borrow)]
    jwks: &'a RawValue,
}

/// A set and when it was fetched.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) json: Vec<u8>,
    pub(super) fetched_at: UnixTime,
    pub(super) usable_until: UnixTime,
}

impl Copy {
    pub(super) fn of(trusted: &Trusted) -> Self {
        Self {
            json: trusted.set.json().into(),
            fetched_at: trusted.fetched_at,
            usable_until: trusted.usable_until,
        }
    }
}

/// A set of the largest size and what stands around it.
const MAX_BYTES: u64 = JwkSet::MAX_BYTES as u64 + 16 * 1024;

impl LastGood {
    pub(super) const fn new(file: PathBuf, issuer: String, jwks_uri: Option<String>) -> Self {
        Self {
            file,
            issuer,
            jwks_uri,
        }
    }

    /// The copy, if there is one.
    pub(super) fn read(&self) -> Result<Option<Copy>, String> {
        match self.document()? {
            Some((place, _)) if place != self.jwks_uri => {
                Err(self.error("is a copy of the issuer's keys at another place"))
            }
            document => Ok(document.map(|(_, copy)| copy)),
        }
    }

    fn error(&self, text: impl fmt::Display) -> String {
        format!("{}: {text}", self.file.display())
    }

    /// A copy of this issuer's keys, and where they were fetched. An empty file is none.
    fn document(&self) -> Result<Option<(Option<String>, Copy)>, String> {
        let mut json = Vec::new();
        match File::open(&self.file) {
            Ok(file) => file
                .take(MAX_BYTES + 1)
                .read_to_end(&mut json)
                .map_err(|error| self.error(error))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.error(error)),
        };
        if json.is_empty() {
            return Ok(None);
        }
        let document: Document<'_> = serde_json::from_slice(&json).map_err(|error| {
            let error = without_values(&error);
            self.error(format_args!("is no copy of keys: {error}"))
        })?;
        if document.issuer != self.issuer {
            let (theirs, ours) = (document.issuer, &self.issuer);
            return Err(self.error(format_args!(
                "is a copy of the keys of {theirs:?}, not of {ours:?}"
            )));
        }
        let copy = Copy {
            json: document.jwks.get().into(),
            fetched_at: UnixTime::from_secs(document.fetched_at),
            usable_until: UnixTime::from_secs(document.usable_until),
        };
        Ok(Some((document.jwks_uri, copy)))
    }

    /// Replaces the copy, whole or not at all. What is there and is something else is left alone, so
    /// that nothing is lost by a path that was mistyped.
    pub(super) fn write(&self, copy: &Copy) -> Result<(), String> {
        self.document()?;
        let replace = || -> io::Result<()> {
            let json = serde_json::to_vec(&Document {
                issuer: self.issuer.clone(),
                jwks_uri: self.jwks_uri.clone(),
                fetched_at: copy.fetched_at.as_secs(),
                usable_until: copy.usable_until.as_secs(),
                jwks: serde_json::from_slice(&copy.json)?,
            })?;
            // Beside it, as only within one file system is a rename atomic.
            let mut name = self.file.file_name().unwrap_or_default().to_owned();
            // Of several programs, in containers with one process id maybe, each has its own.
            name.push(format!(".{:x}.new", RandomState::new().hash_one(())));
            let beside = self.file.with_file_name(name);
            let written = File::create_new(&beside).and_then(|mut file| {
                file.write_all(&json)?;
                file.sync_all()
            });
            written
                .and_then(|()| fs::rename(&beside, &self.file))
                .inspect_err(|_| drop(fs::remove_file(&beside)))
        };
        replace().map_err(|error| self.error(error))
    }
}
