//! The gateway's own keys.

use std::{fs, path::Path, time::Duration};

use tower_jwks::{Algorithm, Clock, ConfigError, KeyRing, SigningKey, SystemClock};

use crate::{
    error::Fault,
    ring::{Checked, Ring},
    settings::{KeySettings, Kid, SigningSettings},
};

/// With less time than this left, the end of a certificate is worth a warning.
const RENEW: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The keys, and what is to be said of them.
pub(crate) struct Signing {
    pub(crate) keys: KeyRing,
    pub(crate) said: String,
}

/// The keys to sign with; paths are relative to `folder`.
pub(crate) async fn open(settings: &SigningSettings, folder: &Path) -> Result<Signing, Fault> {
    let keys = match ring(settings, folder)? {
        None => key_ring(settings, folder)?,
        Some(ring) => ring.open().await?,
    };
    let said = what_signs(&keys);
    Ok(Signing { keys, said })
}

/// The same, but no ring is made or changed.
pub(crate) async fn check(settings: &SigningSettings, folder: &Path) -> Result<Signing, Fault> {
    let Some(ring) = ring(settings, folder)? else {
        return open(settings, folder).await;
    };
    let Checked { like, there } = ring.check().await?;
    let said = match there {
        Some(keys) => what_signs(&keys),
        None => format!(
            "signing with {}, by keys that are yet to be made in {}",
            like.algorithm(),
            ring.directory()
        ),
    };
    Ok(Signing { keys: like, said })
}

/// The ring of the settings, if they have one.
fn ring(settings: &SigningSettings, folder: &Path) -> Result<Option<Ring>, Fault> {
    let Some(ring) = &settings.ring else {
        return Ok(None);
    };
    if !settings.keys.is_empty() {
        return Err(Fault::new(
            "signing.ring",
            "is set beside `signing.keys`: the keys rotate, or they are those of the settings",
        ));
    }
    if settings.kid != Kid::Thumbprint {
        return Err(Fault::new(
            "signing.kid",
            "the keys of `signing.ring` are named by their thumbprints",
        ));
    }
    Ring::new(ring, folder).map(Some)
}

fn what_signs(keys: &KeyRing) -> String {
    let algorithm = keys.algorithm();
    match keys.signing_key() {
        Ok(key) => format!("signing with {algorithm}, kid {}", key.kid()),
        Err(error) => format!("signing with {algorithm}, but not now: {error}"),
    }
}

/// Reads the keys of the settings, or makes one.
fn key_ring(settings: &SigningSettings, folder: &Path) -> Result<KeyRing, Fault> {
    if settings.keys.is_empty() {
        if settings.kid != Kid::Thumbprint {
            return Err(Fault::new(
                "signing.kid",
                "a generated key has no certificate",
            ));
        }
        tracing::warn!(
            "signing has neither keys nor a ring: a key is generated, and what it signs cannot be verified after the gateway ends"
        );
        return KeyRing::generate(Algorithm::RS256).map_err(|error| Fault::new("signing", error));
    }
    if settings.kid == Kid::IssuerSerial {
        tracing::warn!(
            "signing.kid is issuerSerial: tokens and published keys tell who has issued the certificates, and a renewed certificate renames its key"
        );
    }
    let active = active(&settings.keys)?;
    let mut keys = Vec::new();
    for (index, key) in settings.keys.iter().enumerate() {
        let field = format!("signing.keys[{index}]");
        let key = read(key, &field, folder)?;
        let key = match settings.kid {
            Kid::Thumbprint => Ok(key),
            Kid::Certificate => key.with_certificate_kid(),
            Kid::IssuerSerial => key.with_issuer_serial_kid(),
        };
        keys.push(key.map_err(|error| Fault::new(field, error))?);
    }
    let signing = keys.swap_remove(active);
    check_end(&signing, &format!("signing.keys[{active}].certificate"))?;
    let mut ring = KeyRing::builder(signing);
    for key in &keys {
        ring = ring.publish(key);
    }
    ring.build()
        .map_err(|error| Fault::new("signing.keys", error))
}

/// The place of the key that signs: the only one there is, or the only one that says so.
fn active(keys: &[KeySettings]) -> Result<usize, Fault> {
    let mut marked = keys
        .iter()
        .enumerate()
        .filter(|(_, key)| key.active == Some(true));
    match (marked.next(), marked.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some((index, _))) => Err(Fault::new(
            format!("signing.keys[{index}].active"),
            "another key is active already",
        )),
        (None, _) if keys.len() == 1 && keys[0].active.is_none() => Ok(0),
        (None, _) => Err(Fault::new("signing.keys", "one of them has to be active")),
    }
}

/// A key whose certificate is expired signs nothing, so every call would be refused.
fn check_end(key: &SigningKey, field: &str) -> Result<(), Fault> {
    let Some(end) = key.not_after() else {
        return Ok(());
    };
    let left = end.saturating_since(SystemClock.now());
    if left.is_zero() {
        return Err(Fault::new(field, "is expired, so the key cannot sign"));
    }
    if left < RENEW {
        tracing::warn!(
            "{field} expires in {} hours; the key cannot sign after that",
            left.as_secs() / 3600
        );
    }
    Ok(())
}

fn read(settings: &KeySettings, field: &str, folder: &Path) -> Result<SigningKey, Fault> {
    let load = |name: &str, path: &Path| {
        let path = folder.join(path);
        fs::read(&path).map_err(|error| {
            Fault::new(
                format!("{field}.{name}"),
                format!("{}: {error}", path.display()),
            )
        })
    };
    let pem = load("privateKey", &settings.private_key)?;
    let key = match settings.algorithm {
        Some(algorithm) => SigningKey::from_pem(algorithm, &pem),
        None => usual(&pem),
    }
    .map_err(|error| Fault::new(format!("{field}.privateKey"), error))?;
    match &settings.certificate {
        None => Ok(key),
        Some(path) => key
            .with_certificate_pem(load("certificate", path)?)
            .map_err(|error| Fault::new(format!("{field}.certificate"), error)),
    }
}

/// The key with the first algorithm that fits it; if none does, the error is that of the first.
fn usual(pem: &[u8]) -> Result<SigningKey, ConfigError> {
    let first = SigningKey::from_pem(Algorithm::RS256, pem);
    if first.is_ok() {
        return first;
    }
    [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA]
        .into_iter()
        .find_map(|algorithm| SigningKey::from_pem(algorithm, pem).ok())
        .map_or(first, Ok)
}
