//! Keys that others put into a directory, as a ring reads them.

use super::{
    document::{Document, RingKey, RingKeys},
    followed::{FollowedKey, follow},
    new_key::NewKey,
    policy::Promise,
    state::State,
};
use crate::{
    Algorithm, KeysUnavailable, PemDirectory, SigningKey, UnixTime, der,
    store::pem_directory::{self, Found, FoundKey},
};
use std::sync::{Arc, Mutex, TryLockError};

/// A directory of keys, and what was found there last.
pub(super) struct Files {
    directory: PemDirectory,
    algorithm: Option<Algorithm>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    found: Vec<FoundKey>,
    /// The kids of these keys.
    kids: Vec<Box<str>>,
}

impl Files {
    pub(super) fn new(directory: PemDirectory, algorithm: Option<Algorithm>) -> Self {
        Self {
            directory,
            algorithm,
            known: Mutex::default(),
        }
    }

    pub(super) const fn directory(&self) -> &PemDirectory {
        &self.directory
    }

    /// What the files are, after what they were.
    pub(super) fn read(
        &self,
        before: Option<(&State, &RingKeys)>,
        promise: Promise,
        now: UnixTime,
    ) -> Result<Document, KeysUnavailable> {
        let mut known = match self.known.try_lock() {
            Ok(known) => known,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // No second thread waits for a disk that hangs.
            Err(TryLockError::WouldBlock) => {
                return Err(KeysUnavailable::new(
                    "the directory of the keys does not answer",
                ));
            }
        };
        let path = self.directory.path();
        let Found {
            keys: found,
            revoked,
        } = pem_directory::read(path, self.directory.active_name(), &known.found)?;
        let algorithm = match (before, self.algorithm) {
            (Some((_, keys)), _) => keys.algorithm,
            (None, Some(algorithm)) => algorithm,
            (None, None) => der::usual_algorithm(&found[0].private_key)
                .map_err(|cause| KeysUnavailable::new(cause.to_string()))?,
        };

        let mut ring = RingKeys {
            ring: Arc::from(""),
            algorithm,
            keys: Vec::with_capacity(found.len()),
        };
        let mut followed = Vec::with_capacity(found.len());
        for key in &found {
            // A certificate can be renewed for the same key.
            let same = known
                .found
                .iter()
                .position(|known| known.is_same(key) && known.certificate == key.certificate);
            let prepared = same
                .and_then(|place| before?.1.key(&known.kids[place]))
                .cloned();
            let prepared = match prepared {
                Some(prepared) => prepared,
                None => prepare(key, algorithm).map_err(|cause| {
                    let file = path.join(&key.file_name);
                    KeysUnavailable::new(format!("{}: {cause}", file.display()))
                })?,
            };
            followed.push(FollowedKey {
                kid: prepared.signing.kid().into(),
                begins_at: key.begins_at,
                known_since: key.known_since,
                not_after: prepared.signing.not_after(),
                named: key.named_active,
            });
            ring.keys.push(prepared);
        }
        let kids = followed.iter().map(|key| key.kid.clone()).collect();
        let state = follow(
            followed,
            &revoked,
            before.map(|(state, _)| state),
            promise,
            now,
        );
        *known = Known { found, kids };
        // Those whose files are gone are in what was there before.
        if let Some((_, before)) = before {
            ring.keys.extend(before.keys.iter().cloned());
        }
        let keys = ring.of(&state, None);
        Ok(Document { state, keys })
    }
}

fn prepare(key: &FoundKey, algorithm: Algorithm) -> Result<RingKey, KeysUnavailable> {
    let wrong = |cause: crate::ConfigError| KeysUnavailable::new(cause.to_string());
    let mut signing = SigningKey::from_der(algorithm, &key.private_key).map_err(wrong)?;
    if let Some(certificate) = &key.certificate {
        signing = signing.with_certificate_der(certificate).map_err(wrong)?;
    }
    let der = key.private_key.clone();
    RingKey::new(NewKey { signing, der }, "", None)
}
