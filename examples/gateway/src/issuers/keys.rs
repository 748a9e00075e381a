//! The keys of one issuer, and where they come from.

use std::{fmt, fs, path::Path, sync::Arc};

use serde::Serialize;
use tower_jwks::{
    Algorithm, ConfigError, FixedKeys, JwkSet, KeySet, KeySource, KeysStatus, VerifyingKey,
};

use super::fetching::Fetching;
use crate::{
    error::Fault,
    settings::{IssuerSettings, JwksSettings},
};

/// The keys, prepared once, or fetched by one task, however many APIs they are for.
pub(super) struct Keys {
    origin: Origin,
    source: Arc<dyn KeySource>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovered => "discovered",
            Self::Url => "fetched from a URL",
            Self::File => "from a file",
            Self::Certificate => "from a certificate",
        })
    }
}

/// Where keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// A URL that the issuer's metadata names.
    Discovered,
    /// A URL that the settings name.
    Url,
    File,
    Certificate,
}

impl Keys {
    /// The keys that the settings of `field` ask for; paths are relative to `folder`.
    pub(super) fn load(
        settings: &IssuerSettings,
        field: &str,
        folder: &Path,
        fetching: &mut Fetching<'_>,
    ) -> Result<Self, Fault> {
        let (origin, source): (_, Arc<dyn KeySource>) =
            match (&settings.jwks, &settings.certificate) {
                (Some(_), Some(_)) => {
                    return Err(Fault::new(
                        field,
                        "either `jwks` or `certificate`, not both",
                    ));
                }
                (None, None) => {
                    let keys = fetching.discover(settings, field)?;
                    (Origin::Discovered, Arc::new(keys))
                }
                (Some(JwksSettings { url, file }), None) => match (url, file) {
                    (Some(_), Some(_)) => {
                        return Err(Fault::new(
                            format!("{field}.jwks"),
                            "either `file` or `url`, not both",
                        ));
                    }
                    (None, None) => {
                        return Err(Fault::new(
                            format!("{field}.jwks"),
                            "missing `file` or `url`",
                        ));
                    }
                    (Some(url), None) => {
                        let keys = fetching.fetch(settings, field, url)?;
                        (Origin::Url, Arc::new(keys))
                    }
                    (None, Some(file)) => {
                        let keys = from_file(settings, &folder.join(file))
                            .map_err(|error| Fault::new(format!("{field}.jwks.file"), error))?;
                        (Origin::File, Arc::new(FixedKeys::from(keys)))
                    }
                },
                (None, Some(file)) => {
                    let keys = from_certificate(settings, &folder.join(file))
                        .map_err(|error| Fault::new(format!("{field}.certificate"), error))?;
                    (Origin::Certificate, Arc::new(FixedKeys::from(keys)))
                }
            };
        let fetched = matches!(origin, Origin::Discovered | Origin::Url);
        if settings.keys_copy.is_some() && !fetched {
            return Err(Fault::new(
                format!("{field}.keysCopy"),
                "is for keys that are fetched; these are read from a file",
            ));
        }
        Ok(Self { origin, source })
    }

    pub(super) const fn origin(&self) -> Origin {
        self.origin
    }

    /// For a verifier of its own.
    pub(super) fn source(&self) -> Arc<dyn KeySource> {
        Arc::clone(&self.source)
    }

    pub(super) fn status(&self) -> KeysStatus {
        self.source.status()
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

fn from_file(settings: &IssuerSettings, file: &Path) -> Result<KeySet, String> {
    let set = JwkSet::from_file(file).map_err(|error| error.to_string())?;
    let algorithms = match settings.algorithms.as_slice() {
        [] => Algorithm::ALL,
        algorithms => algorithms,
    };
    let keys = KeySet::new(&set, algorithms);
    if keys.is_empty() {
        let mut message = format!("{} has no usable key", file.display());
        for key in keys.left_out() {
            message.push_str(&format!("; {key}"));
        }
        return Err(message);
    }
    for key in keys.left_out() {
        tracing::warn!(issuer = settings.issuer, %key, "a key of the issuer is not used");
    }
    Ok(keys)
}

fn from_certificate(settings: &IssuerSettings, file: &Path) -> Result<KeySet, String> {
    let pem = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let key = certified_key(&pem, &settings.algorithms).map_err(|error| error.to_string())?;
    Ok(KeySet::from_iter([key]))
}

/// A certificate says which key, not which algorithm: one has to fit.
fn certified_key(pem: &[u8], allowed: &[Algorithm]) -> Result<VerifyingKey, ConfigError> {
    match allowed {
        [] => {
            let first = VerifyingKey::from_pem(Algorithm::RS256, pem);
            if first.is_ok() {
                return first;
            }
            [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
                .into_iter()
                .find_map(|algorithm| VerifyingKey::from_pem(algorithm, pem).ok())
                .map_or(first, Ok)
        }
        [algorithm] => VerifyingKey::from_pem(*algorithm, pem),
        _ => Err(ConfigError::new(
            "algorithms",
            "a certificate goes with one",
        )),
    }
}
