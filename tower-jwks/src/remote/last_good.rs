//! The copy on disk of the keys that were fetched last.

use crate::{JwkSet, UnixTime};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::PathBuf,
    process,
};

/// The copy of one issuer's keys.
#[derive(Clone, Debug)]
pub(super) struct LastGood {
    file: PathBuf,
    issuer: String,
}

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Document<'a> {
    issuer: String,
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

/// A set of the largest size and what stands around it.
const MAX_BYTES: u64 = JwkSet::MAX_BYTES as u64 + 16 * 1024;

impl LastGood {
    pub(super) fn new(file: PathBuf, issuer: &str) -> Self {
        Self {
            file,
            issuer: issuer.to_owned(),
        }
    }

    /// The copy, if there is one.
    pub(super) fn read(&self) -> Result<Option<Copy>, String> {
        let at_file = |text: String| format!("{}: {text}", self.file.display());
        let mut json = Vec::new();
        match File::open(&self.file) {
            Ok(file) => file
                .take(MAX_BYTES + 1)
                .read_to_end(&mut json)
                .map_err(|error| at_file(error.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at_file(error.to_string())),
        };
        let document: Document<'_> = serde_json::from_slice(&json)
            .map_err(|error| at_file(format!("is no copy of keys: {error}")))?;
        if document.issuer != self.issuer {
            return Err(at_file(format!(
                "is a copy of the keys of {:?}, not of {:?}",
                document.issuer, self.issuer
            )));
        }
        Ok(Some(Copy {
            json: document.jwks.get().into(),
            fetched_at: UnixTime::from_secs(document.fetched_at),
            usable_until: UnixTime::from_secs(document.usable_until),
        }))
    }

    /// Replaces the copy, whole or not at all.
    pub(super) fn write(&self, copy: &Copy) -> Result<(), String> {
        let replace = || -> io::Result<()> {
            let json = serde_json::to_vec(&Document {
                issuer: self.issuer.clone(),
                fetched_at: copy.fetched_at.as_secs(),
                usable_until: copy.usable_until.as_secs(),
                jwks: serde_json::from_slice(&copy.json)?,
            })?;
            // Beside it, as only within one file system is a rename atomic.
            let mut name = self.file.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{}.new", process::id()));
            let beside = self.file.with_file_name(name);
            let written = File::create(&beside).and_then(|mut file| {
                file.write_all(&json)?;
                file.sync_all()
            });
            written
                .and_then(|()| fs::rename(&beside, &self.file))
                .inspect_err(|_| drop(fs::remove_file(&beside)))
        };
        replace().map_err(|error| format!("{}: {error}", self.file.display()))
    }
}
