//! A ring as its store keeps it: state and private keys as one JSON document that shows when it was damaged.

use super::{new_key::NewKey, policy::MOST_KEYS, state::State};
use crate::{Algorithm, KeyEncryptionKey, KeysUnavailable, SigningKey, StoredRing, crypto};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::{collections::HashSet, sync::Arc};
use zeroize::Zeroizing;

/// What the first member of a document says, so that no other JSON is taken for one.
const FORMAT: &str = "tower-jwks ring 1";

/// A ring: its state, and the keys that the state is about, in the same order.
pub(crate) struct Document {
    pub(crate) state: State,
    pub(crate) keys: RingKeys,
}

/// The keys of a ring, in the order of the state that goes with them.
#[derive(Clone)]
pub(crate) struct RingKeys {
    /// Which ring it is, so that another's is not taken for it.
    pub(crate) ring: Arc<str>,
    pub(crate) algorithm: Algorithm,
    pub(crate) keys: Vec<RingKey>,
}

/// A key of a ring, ready to sign, and as it is written.
#[derive(Clone)]
pub(crate) struct RingKey {
    pub(crate) signing: Arc<SigningKey>,
    written: Arc<Written>,
}

/// A private key as the document has it, and its certificate.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(flatten)]
    private: Private,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Private {
    PrivateKey(Secret),
    SealedPrivateKey(Secret),
}

/// Base64 of what is nobody's business.
struct Secret(Zeroizing<String>);

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_str().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// The document. `contents` is kept as it was written, because `tag` is of its text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    format: &'a str,
    epoch: u64,
    ring: &'a str,
    #[serde(borrow)]
    contents: &'a RawValue,
    tag: String,
}

#[derive(Serialize)]
struct ContentsRef<'a> {
    algorithm: Algorithm,
    state: &'a State,
    keys: Vec<&'a Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    algorithm: Algorithm,
    state: State,
    keys: Vec<Written>,
}

fn error(message: impl Into<std::borrow::Cow<'static, str>>) -> KeysUnavailable {
    KeysUnavailable::new(message)
}

impl Document {
    /// As the store keeps it.
    pub(crate) fn write(
        &self,
        kek: Option<&KeyEncryptionKey>,
    ) -> Result<StoredRing, KeysUnavailable> {
        let Self { state, keys } = self;
        let RingKeys {
            ring,
            algorithm,
            keys,
        } = keys;
        let contents = ContentsRef {
            algorithm: *algorithm,
            state,
            keys: keys.iter().map(|key| &*key.written).collect(),
        };
        // Of its size from the start, as growing would leave copies of private keys behind.
        let private: usize = keys.iter().map(|key| key.written.size()).sum();
        let mut text = Zeroizing::new(Vec::with_capacity(private + 64 * 1024));
        serde_json::to_writer(&mut *text, &contents)
            .expect("strings and numbers in structs always serialize");
        let text = std::str::from_utf8(&text).expect("JSON is UTF-8");
        let signed = signed_text(state.epoch, ring, text);
        let tag = match kek {
            Some(kek) => kek.authenticate(signed.as_bytes())?,
            None => crypto::sha256(signed.as_bytes()).to_vec(),
        };
        let envelope = Envelope {
            format: FORMAT,
            epoch: state.epoch,
            ring,
            contents: serde_json::from_str(text).expect("it was just written"),
            tag: BASE64_STANDARD.encode(tag),
        };
        let mut document = Vec::with_capacity(text.len() + 512);
        serde_json::to_writer(&mut document, &envelope)
            .expect("strings, numbers and JSON always serialize");
        document.push(b'\n');
        Ok(StoredRing::new(state.epoch, document))
    }

    /// Reads what a store has. Keys that `known` has as well are not prepared again.
    ///
    /// Texts of errors have nothing of the document in them but names.
    pub(crate) fn read(
        stored: &StoredRing,
        kek: Option<&KeyEncryptionKey>,
        known: Option<&RingKeys>,
    ) -> Result<Self, KeysUnavailable> {
        let envelope: Envelope<'_> =
            serde_json::from_slice(stored.secret_document()).map_err(|cause| {
                error(format!(
                    "is not the document of a ring, or not all of it: {}",
                    place(&cause)
                ))
            })?;
        let Envelope {
            format,
            epoch,
            ring,
            contents,
            tag,
        } = envelope;
        if format != FORMAT {
            return Err(error(format!("is not of the format {FORMAT:?}")));
        }
        if epoch != stored.epoch() {
            return Err(error(format!(
                "is of epoch {epoch}, where the store says {}",
                stored.epoch()
            )));
        }
        if known.is_some_and(|known| *known.ring != *ring) {
            return Err(error("is that of another ring"));
        }
        let signed = signed_text(epoch, ring, contents.get());
        let tag = BASE64_STANDARD
            .decode(tag)
            .map_err(|_| error("has a tag that is not base64"))?;
        let sealed = match kek {
            // Whether it is not sealed at all or with another key: nobody without this key wrote it.
            Some(kek) if kek.verify(signed.as_bytes(), &tag) => Ok(()),
            Some(_) if tag == crypto::sha256(signed.as_bytes()) => Err(error(
                "is not sealed: its ring was made without a key-encryption key, or another hand wrote it",
            )),
            Some(_) => Err(error(
                "is not sealed with this key-encryption key, or was changed by another hand",
            )),
            None if tag == crypto::sha256(signed.as_bytes()) => Ok(()),
            None if tag.len() != 32 => Err(error("is sealed: it needs its key-encryption key")),
            None => Err(error("was changed by another hand, or is damaged")),
        };
        sealed?;
        let contents: Contents = serde_json::from_str(contents.get()).map_err(|cause| {
            error(format!(
                "cannot be read, though it is whole: {}",
                place(&cause)
            ))
        })?;
        Self::check(epoch, ring, contents, kek, known)
    }

    fn check(
        epoch: u64,
        ring: &str,
        contents: Contents,
        kek: Option<&KeyEncryptionKey>,
        known: Option<&RingKeys>,
    ) -> Result<Self, KeysUnavailable> {
        let Contents {
            algorithm,
            mut state,
            keys: written,
        } = contents;
        state.epoch = epoch;
        if state.keys.len() != written.len() || written.len() > MOST_KEYS {
            return Err(error("has more or fewer keys than dates, or too many"));
        }
        // What is published is never empty: verifiers would take it for all keys being revoked.
        if written.is_empty() {
            return Err(error("has no key"));
        }
        let mut seen = HashSet::new();
        let mut keys = Vec::with_capacity(written.len());
        for (entry, written) in state.keys.iter().zip(written) {
            let kid = &*entry.kid;
            if !seen.insert(kid) {
                return Err(error(format!("has two keys with the kid {kid:?}")));
            }
            if state.was_revoked(kid) {
                return Err(error(format!("has a key that is revoked, {kid:?}")));
            }
            let of_kid =
                |cause: &dyn std::fmt::Display| error(format!("has a key {kid:?}: {cause}"));
            let before = known.and_then(|known| known.key(kid));
            let key = match before {
                Some(before) if before.written.is(&written) => before.clone(),
                _ => {
                    let signing = written
                        .prepare(algorithm, kid, ring, kek)
                        .map_err(|cause| of_kid(&cause))?;
                    if let Some(before) = before
                        && before.signing.jwk() != signing.jwk()
                    {
                        return Err(of_kid(&"is another than it was"));
                    }
                    RingKey {
                        signing: before
                            .map_or_else(|| Arc::new(signing), |key| Arc::clone(&key.signing)),
                        written: Arc::new(written),
                    }
                }
            };
            if key.signing.not_after() != entry.not_after {
                return Err(of_kid(&"ends at another time than its certificate"));
            }
            keys.push(key);
        }
        let ring = ring.into();
        let keys = RingKeys {
            ring,
            algorithm,
            keys,
        };
        Ok(Self { state, keys })
    }
}

impl RingKeys {
    pub(crate) fn key(&self, kid: &str) -> Option<&RingKey> {
        self.keys.iter().find(|key| key.signing.kid() == kid)
    }

    /// Those of another state of the same ring, which has some of ours, and maybe `added`.
    #[must_use]
    pub(crate) fn of(&self, state: &State, added: Option<&RingKey>) -> Self {
        let keys = state.keys.iter().filter_map(|entry| {
            let added = added.filter(|key| key.signing.kid() == &*entry.kid);
            added.or_else(|| self.key(&entry.kid)).cloned()
        });
        Self {
            ring: Arc::clone(&self.ring),
            algorithm: self.algorithm,
            keys: keys.collect(),
        }
    }
}

impl RingKey {
    /// Prepares a key to be written to this ring.
    pub(crate) fn new(
        key: NewKey,
        ring: &str,
        kek: Option<&KeyEncryptionKey>,
    ) -> Result<Self, KeysUnavailable> {
        let NewKey { signing, der } = key;
        let encode = |bytes: &[u8]| Secret(Zeroizing::new(BASE64_STANDARD.encode(bytes)));
        let private = match kek {
            Some(kek) => {
                let bound = bound_to(ring, signing.kid(), signing.algorithm());
                Private::SealedPrivateKey(encode(&kek.seal(bound.as_bytes(), &der)?))
            }
            None => Private::PrivateKey(encode(&der)),
        };
        let certificate = signing.certificate_der();
        let certificate = certificate.map(|der| BASE64_STANDARD.encode(der));
        let written = Arc::new(Written {
            private,
            certificate,
        });
        Ok(Self {
            signing: Arc::new(signing),
            written,
        })
    }
}

impl Written {
    fn size(&self) -> usize {
        let (Private::PrivateKey(key) | Private::SealedPrivateKey(key)) = &self.private;
        key.0.len() + self.certificate.as_ref().map_or(0, String::len)
    }

    fn is(&self, other: &Self) -> bool {
        let same = match (&self.private, &other.private) {
            (Private::PrivateKey(a), Private::PrivateKey(b))
            | (Private::SealedPrivateKey(a), Private::SealedPrivateKey(b)) => *a.0 == *b.0,
            _ => false,
        };
        same && self.certificate == other.certificate
    }

    fn prepare(
        &self,
        algorithm: Algorithm,
        kid: &str,
        ring: &str,
        kek: Option<&KeyEncryptionKey>,
    ) -> Result<SigningKey, KeysUnavailable> {
        let decode = |text: &str| {
            let bytes = BASE64_STANDARD.decode(text);
            bytes
                .map(Zeroizing::new)
                .map_err(|_| error("is not base64"))
        };
        let der = match (&self.private, kek) {
            (Private::PrivateKey(der), None) => decode(&der.0)?,
            (Private::SealedPrivateKey(sealed), Some(kek)) => {
                let bound = bound_to(ring, kid, algorithm);
                kek.open(bound.as_bytes(), &decode(&sealed.0)?)?
            }
            (Private::PrivateKey(_), Some(_)) => return Err(error("is not sealed")),
            (Private::SealedPrivateKey(_), None) => return Err(error("is sealed")),
        };
        let wrong = |cause: crate::ConfigError| error(cause.to_string());
        let mut key = SigningKey::from_der(algorithm, &der).map_err(wrong)?;
        if let Some(certificate) = &self.certificate {
            key = key
                .with_certificate_der(&decode(certificate)?)
                .map_err(wrong)?;
        }
        if key.kid() == kid {
            return Ok(key);
        }
        key.with_kid(kid).map_err(wrong)
    }
}

/// What the tag is of: everything but the tag.
fn signed_text(epoch: u64, ring: &str, contents: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{FORMAT}\n{epoch}\n{ring}\n{contents}"))
}

/// A sealed key is of one place only: it cannot be put under another `kid` or into another ring.
fn bound_to(ring: &str, kid: &str, algorithm: Algorithm) -> String {
    format!("{FORMAT}\n{ring}\n{algorithm}\n{kid}")
}

/// Where a text is wrong. serde's own words may have pieces of the text in them.
fn place(cause: &serde_json::Error) -> String {
    format!("line {}, column {}", cause.line(), cause.column())
}

/// A name for a new ring.
pub(crate) fn ring_name() -> Result<Arc<str>, KeysUnavailable> {
    let mut random = [0; 16];
    crypto::random(&mut random).ok_or_else(|| error("the system gives no random bytes"))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random).into())
}
