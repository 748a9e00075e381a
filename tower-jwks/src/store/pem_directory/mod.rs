//! Keys in a directory that others write, in PEM: cert-manager, a Vault agent, an operator. It is only read.

use super::fault;
use crate::{
    ConfigError, KeysUnavailable, UnixTime,
    crypto::PrivateKey,
    der::{self, Certificate, certificate_error},
    material::PublicMaterial,
};
use std::{
    fmt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

mod snapshot;
#[cfg(test)]
mod tests;

use self::snapshot::{FoundFile, REVOKED, Snapshot};

/// A directory of keys in PEM that others write: cert-manager, a Vault agent, an operator. It is only read, by
/// [`KeyRing::follow`](crate::KeyRing::follow).
///
/// A key is a file `X.pem`, with its certificate in it or without, or `X.key` with its certificate in `X.crt`.
/// What begins with a dot is left alone. A file `revoked`, if there is one, names the `kid`s of compromised keys, one a
/// line: those are published no more, whatever else is there.
///
/// ```
/// use tower_jwks::PemDirectory;
///
/// let directory = PemDirectory::new("/etc/gateway/keys").active("2027.pem");
/// assert_eq!(directory.path(), std::path::Path::new("/etc/gateway/keys"));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct PemDirectory {
    path: PathBuf,
    active: Option<String>,
    #[cfg(feature = "notify")]
    watch: super::watch::DirectoryWatch,
}

impl PemDirectory {
    /// This directory, of which the newest key is to sign.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            #[cfg(feature = "notify")]
            watch: super::watch::DirectoryWatch::new(&path, |_| true),
            path,
            active: None,
        }
    }

    /// The name of the file of the key that is to sign, with its ending or without. Default: that of the newest
    /// key, by the beginning of its certificate, or by the time of the file if it has none.
    pub fn active(mut self, name: impl Into<String>) -> Self {
        self.active = Some(name.into());
        self
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends when something may have changed since this was called; without the feature `notify` it does not.
    pub(crate) fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        #[cfg(feature = "notify")]
        return self.watch.changed();
        #[cfg(not(feature = "notify"))]
        std::future::pending()
    }

    pub(crate) fn active_name(&self) -> Option<&str> {
        self.active.as_deref()
    }
}

/// What is in the directory.
#[derive(Debug)]
pub(crate) struct Found {
    /// By the names of their files, each key once.
    pub(crate) keys: Vec<FoundKey>,
    /// The `kid`s that the file `revoked` lists: those of compromised keys.
    pub(crate) revoked: Vec<String>,
}

/// A key that was found in a file.
pub(crate) struct FoundKey {
    pub(crate) file_name: String,
    /// PKCS#8, PKCS#1 or SEC1.
    pub(crate) private_key: Zeroizing<Vec<u8>>,
    pub(crate) certificate: Option<Vec<u8>>,
    /// When its certificate begins, or its file was last changed if it has none.
    pub(crate) begins_at: UnixTime,
    /// When its certificate began and its file was there, or when it was known since before, if that is
    /// earlier. Who issues certificates may have them begin before they are there.
    pub(crate) known_since: UnixTime,
    /// Whether it is the one that is to sign, by its name.
    pub(crate) named_active: bool,
}

/// The keys in `X.pem`, and in `X.key` with the certificate in `X.crt` if there is one.
///
/// `active` is the name of the file of the key that is to sign, with its ending or without. `previous` is
/// what was found before: to write a file again, as a mounted secret is at each change of another, does not
/// make its key a new one.
///
/// # Errors
///
/// There is no key, the active one is not there, one cannot be read, or a certificate is of another key.
pub(crate) fn read(
    path: &Path,
    active: Option<&str>,
    previous: &[FoundKey],
) -> Result<Found, KeysUnavailable> {
    let snapshot = Snapshot::take(path)?;
    let mut keys: Vec<(PublicMaterial, FoundKey)> = Vec::new();
    for file in snapshot.files() {
        let found = key_of(&snapshot, file, active).map_err(|error| {
            KeysUnavailable::new(error.in_file(&path.join(&file.name)).to_string())
        })?;
        let Some((public, mut key)) = found else {
            continue;
        };
        if let Some(before) = previous.iter().find(|before| before.is_same(&key)) {
            key.begins_at = key.begins_at.min(before.begins_at);
            key.known_since = key.known_since.min(before.known_since);
        }
        match keys.iter_mut().find(|(other, _)| *other == public) {
            Some((_, same)) => same.merge(key),
            None => keys.push((public, key)),
        }
    }
    let keys: Vec<FoundKey> = keys.into_iter().map(|(_, key)| key).collect();
    if keys.is_empty() {
        return Err(fault(path, "there is no private key in it"));
    }
    if let Some(active) = active
        && !keys.iter().any(|key| key.named_active)
    {
        return Err(fault(
            path,
            format_args!("there is no key {active:?} in it"),
        ));
    }
    let revoked = match snapshot.file(REVOKED) {
        Some(file) => revoked(file).map_err(|text| fault(&path.join(REVOKED), text))?,
        None => Vec::new(),
    };
    Ok(Found { keys, revoked })
}

/// None if the file is no key's: a certificate alone is not one.
fn key_of(
    snapshot: &Snapshot,
    file: &FoundFile,
    active: Option<&str>,
) -> Result<Option<(PublicMaterial, FoundKey)>, ConfigError> {
    let stem = match file.name.rsplit_once('.') {
        Some((stem, "key")) => stem,
        Some((stem, "pem")) if has_private_key(&file.bytes) => stem,
        _ => return Ok(None),
    };
    let (der, inside) = der::private_key_pem(&file.bytes)?;
    let beside = snapshot.file(&format!("{stem}.crt"));
    let certificate = match (inside, beside) {
        (Some(certificate), _) => Some(certificate),
        (None, Some(file)) => Some(der::certificate_pem(&file.bytes)?),
        (None, None) => None,
    };
    let public = PrivateKey::public_of(&der)?;
    let mut begins_at = file.modified;
    if let Some(certificate) = &certificate {
        let certificate = Certificate::parse(certificate)?;
        if certificate.public != public {
            return Err(certificate_error("is of another key"));
        }
        // One without a beginning that means anything begins in 1970.
        if certificate.not_before > UnixTime::from_secs(0) {
            begins_at = certificate.not_before;
        }
    }
    let key = FoundKey {
        file_name: file.name.clone(),
        private_key: Zeroizing::new(der.secret_der().to_vec()),
        certificate: certificate.map(|certificate| certificate.to_vec()),
        begins_at,
        known_since: begins_at.max(file.placed),
        named_active: active.is_some_and(|active| active == file.name || active == stem),
    };
    Ok(Some((public, key)))
}

fn has_private_key(pem: &[u8]) -> bool {
    const LABEL: &[u8] = b"PRIVATE KEY-----";
    pem.windows(LABEL.len()).any(|part| part == LABEL)
}

/// One a line; what follows a `#` at its start is a comment.
fn revoked(file: &FoundFile) -> Result<Vec<String>, &'static str> {
    let text = str::from_utf8(&file.bytes).map_err(|_| "is not UTF-8")?;
    let kids = text.lines().map(str::trim);
    Ok(kids
        .filter(|kid| !kid.is_empty() && !kid.starts_with('#'))
        .map(str::to_owned)
        .collect())
}

impl FoundKey {
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.private_key == other.private_key
    }

    /// The same key in another file: cert-manager writes it with its certificate in one as well.
    fn merge(&mut self, other: Self) {
        self.begins_at = self.begins_at.min(other.begins_at);
        self.known_since = self.known_since.min(other.known_since);
        self.named_active |= other.named_active;
        self.certificate = self.certificate.take().or(other.certificate);
    }
}

impl fmt::Debug for FoundKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundKey")
            .field("file_name", &self.file_name)
            .field("known_since", &self.known_since)
            .field("named_active", &self.named_active)
            .finish_non_exhaustive()
    }
}
