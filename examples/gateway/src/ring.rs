//! Keys that rotate, kept in a directory that the gateways of one fleet share.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Deserializer, de};
use tower_jwks::{
    Algorithm, ConfigError, DirectoryStore, KeyEncryptionKey, KeyRing, KeyStore, KeysUnavailable,
    MemoryStore, RotationPolicy,
};

use crate::{error::Fault, printable::printable};

/// `signing.ring` as it is written.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RingSettings {
    directory: PathBuf,
    algorithm: Option<Algorithm>,
    key_encryption_key: Option<KeyEncryptionKeySettings>,
    rotate_every: Option<Span>,
    max_age: Option<Span>,
    propagation: Option<Span>,
    poll: Option<Span>,
    grace: Option<Span>,
    clock_skew: Option<Span>,
    token_life: Option<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEncryptionKeySettings {
    file: Option<PathBuf>,
    env: Option<String>,
}

/// A time as people write it: `10m`.
#[derive(Debug, Clone, Copy)]
struct Span(Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl de::Visitor<'_> for Text {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time such as `8s`, `10m` or `30d`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                let span = humantime::parse_duration(text);
                span.map(Span).map_err(|why| {
                    E::custom(format!("is no time such as `8s`, `10m` or `30d`: {why}"))
                })
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// A ring that is yet to be opened.
pub(crate) struct Ring {
    directory: PathBuf,
    algorithm: Option<Algorithm>,
    policy: RotationPolicy,
    key_encryption_key: Option<KeyEncryptionKey>,
}

/// What is known of a ring without opening it.
pub(crate) struct Checked {
    /// Keys of the same kind, of which nobody ever hears: what is to fit the ring fits them.
    pub(crate) like: KeyRing,
    /// The ring, if there is one.
    pub(crate) there: Option<KeyRing>,
}

impl Ring {
    /// Checks the settings; paths are relative to `folder`.
    pub(crate) fn new(settings: &RingSettings, folder: &Path) -> Result<Self, Fault> {
        let key_encryption_key = match &settings.key_encryption_key {
            Some(key) => Some(key.read(folder)?),
            None => {
                tracing::warn!(
                    "signing.ring.keyEncryptionKey is missing: the private keys are not sealed, and who reads the files in signing.ring.directory can sign"
                );
                None
            }
        };
        Ok(Self {
            directory: folder.join(&settings.directory),
            algorithm: settings.algorithm,
            policy: settings.policy().map_err(|error| in_settings(&error))?,
            key_encryption_key,
        })
    }

    /// Opens the ring, which is made if there is none.
    pub(crate) async fn open(&self) -> Result<KeyRing, Fault> {
        self.open_in(self.store())
            .await
            .map_err(|error| self.fault(&error))
    }

    /// Finds out whether the ring can be opened. It is not changed, and not made.
    pub(crate) async fn check(&self) -> Result<Checked, Fault> {
        let there = self.there().await.map_err(|error| self.fault(&error))?;
        let algorithm = there.as_ref().map(KeyRing::algorithm);
        let like = Self {
            algorithm: self.algorithm.or(algorithm),
            key_encryption_key: None,
            directory: PathBuf::new(),
            policy: self.policy.clone(),
        };
        let like = like.open_in(MemoryStore::new()).await;
        Ok(Checked {
            like: like.map_err(|error| Fault::new("signing.ring", error))?,
            there,
        })
    }

    async fn there(&self) -> Result<Option<KeyRing>, KeysUnavailable> {
        let store = self.store();
        if store.load().await?.is_none() {
            return Ok(None);
        }
        let mut ring = KeyRing::open(store).by_hand();
        if let Some(algorithm) = self.algorithm {
            ring = ring.algorithm(algorithm);
        }
        if let Some(key) = &self.key_encryption_key {
            ring = ring.key_encryption_key(key.clone());
        }
        ring.await.map(Some)
    }

    async fn open_in(&self, store: impl KeyStore) -> Result<KeyRing, KeysUnavailable> {
        let mut ring = KeyRing::open(store).policy(self.policy.clone());
        if let Some(algorithm) = self.algorithm {
            ring = ring.algorithm(algorithm);
        }
        if let Some(key) = &self.key_encryption_key {
            ring = ring.key_encryption_key(key.clone());
        }
        ring.await
    }

    fn store(&self) -> DirectoryStore {
        DirectoryStore::new(&self.directory)
    }

    pub(crate) fn directory(&self) -> String {
        printable(&self.directory.display().to_string())
    }

    /// With the directory, which the store's own errors name already.
    fn fault(&self, error: &KeysUnavailable) -> Fault {
        let directory = self.directory.display().to_string();
        let error = error.to_string();
        let message = match error.starts_with(&directory) {
            true => error,
            false => format!("{directory}: {error}"),
        };
        Fault::new("signing.ring.directory", message)
    }
}

impl KeyEncryptionKeySettings {
    fn read(&self, folder: &Path) -> Result<KeyEncryptionKey, Fault> {
        const FIELD: &str = "signing.ring.keyEncryptionKey";
        let (field, key) = match (&self.file, &self.env) {
            (Some(file), None) => ("file", KeyEncryptionKey::from_file(folder.join(file))),
            (None, Some(name)) => ("env", KeyEncryptionKey::from_env(name)),
            (_, _) => return Err(Fault::new(FIELD, "has to have either `file` or `env`")),
        };
        key.map_err(|error| {
            let error = error.to_string();
            // The field says it.
            let message = error.strip_prefix("key encryption key: ");
            Fault::new(format!("{FIELD}.{field}"), message.unwrap_or(&error))
        })
    }
}

impl RingSettings {
    fn policy(&self) -> Result<RotationPolicy, ConfigError> {
        let mut policy = RotationPolicy::builder();
        if let Some(Span(time)) = self.rotate_every {
            policy = policy.interval(time);
        }
        if let Some(Span(time)) = self.max_age {
            policy = policy.max_age(time);
        }
        if let Some(Span(time)) = self.propagation {
            policy = policy.propagation(time);
        }
        if let Some(Span(time)) = self.poll {
            policy = policy.poll(time);
        }
        if let Some(Span(time)) = self.grace {
            policy = policy.grace(time);
        }
        if let Some(Span(time)) = self.clock_skew {
            policy = policy.clock_skew(time);
        }
        if let Some(Span(time)) = self.token_life {
            policy = policy.token_life(time);
        }
        policy.build()
    }
}

/// The policy's names for its times, and those of the settings.
const NAMES: [(&str, &str); 4] = [
    ("interval", "rotateEvery"),
    ("max_age", "maxAge"),
    ("clock_skew", "clockSkew"),
    ("token_life", "tokenLife"),
];

fn in_settings(error: &ConfigError) -> Fault {
    let field = error.field();
    let text = error.to_string();
    let mut message = text
        .strip_prefix(field)
        .and_then(|rest| rest.strip_prefix(": "))
        .unwrap_or(&text)
        .to_owned();
    let mut place = field;
    for (theirs, ours) in NAMES {
        message = message.replace(theirs, ours);
        if field == theirs {
            place = ours;
        }
    }
    Fault::new(format!("signing.ring.{place}"), message)
}
