//! A set of public keys (RFC 7517 section 5), rendered once.

use crate::{
    ConfigError, Jwk,
    jwk::{Outline, without_values},
    published::{DEFAULT_MAX_AGE, PublishedKeys, SetDocument},
};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use std::{
    collections::HashMap,
    fmt,
    fs::File,
    io::Read,
    path::Path,
    sync::{Arc, OnceLock},
};

/// A JWK Set (RFC 7517 section 5).
///
/// Reading one keeps every key that can be used and tells which it left out and why: one odd key
/// spoils only itself. Cheap to clone.
///
/// ```
/// use tower_jwks::JwkSet;
///
/// let set = JwkSet::parse(r#"{"keys":[
///     {"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty":"EC","crv":"secp256k1","kid":"b","x":"AA","y":"AA"}
/// ]}"#)?;
/// assert_eq!(set.keys().len(), 1);
/// assert_eq!(set.left_out()[0].to_string(), r#"key 1 (kid "b"): crv: is not P-256 or P-384"#);
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct JwkSet(Arc<Inner>);

struct Inner {
    keys: Vec<Jwk>,
    /// Where in the document each of them was.
    positions: Vec<usize>,
    left_out: Vec<LeftOut>,
    /// Rendered when it is asked for: a set that is only verified with never is.
    published: OnceLock<Arc<PublishedKeys>>,
}

impl JwkSet {
    /// The most keys a set may have: 64.
    pub const MAX_KEYS: usize = 64;
    /// The largest document that is read, in bytes: 256 KiB.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// A set of these keys.
    ///
    /// # Errors
    ///
    /// Two keys with one `kid`, or more than [`MAX_KEYS`](Self::MAX_KEYS).
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Result<Self, ConfigError> {
        let keys: Vec<Jwk> = keys.into_iter().collect();
        within_bounds(keys.len())?;
        let mut seen = HashMap::new();
        for kid in keys.iter().filter_map(Jwk::kid) {
            if seen.insert(kid, ()).is_some() {
                return Err(ConfigError::new("kid", format!("{kid:?} names two keys")));
            }
        }
        Ok(Self::from_parts(
            keys.into_iter().enumerate().collect(),
            Vec::new(),
        ))
    }

    /// Reads a document `{"keys": […]}`.
    ///
    /// Keys that are private, malformed, too weak, of an unknown kind or not for signatures are
    /// left out, and so are all keys of one type that share a `kid`, because nothing tells which
    /// of them is meant.
    ///
    /// # Errors
    ///
    /// The document is not a JWK Set, larger than [`MAX_BYTES`](Self::MAX_BYTES), or has more keys
    /// than [`MAX_KEYS`](Self::MAX_KEYS).
    pub fn parse(json: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        #[derive(Deserialize)]
        struct Set<'a> {
            #[serde(borrow)]
            keys: Vec<&'a RawValue>,
        }

        let json = json.as_ref();
        if json.len() > Self::MAX_BYTES {
            return Err(ConfigError::new("jwks", "is over 256 KiB"));
        }
        let set: Set<'_> = serde_json::from_slice(json).map_err(|error| {
            let error = without_values(&error);
            ConfigError::new("jwks", format!("is not a JWK Set: {error}"))
        })?;
        within_bounds(set.keys.len())?;

        let mut left_out = Vec::new();
        let mut read = Vec::new();
        for (position, raw) in set.keys.into_iter().enumerate() {
            match Jwk::parse(raw.get()) {
                Ok(jwk) => read.push((position, jwk)),
                Err(reason) => {
                    let Outline { kid, private } = Outline::of(raw.get());
                    left_out.push(LeftOut {
                        position,
                        kid,
                        private,
                        reason,
                    });
                }
            }
        }
        let keys = without_ambiguous(read, &mut left_out);
        left_out.sort_by_key(LeftOut::position);
        Ok(Self::from_parts(keys, left_out))
    }

    /// Reads the document in a file.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), or the file cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let unreadable =
            |error| ConfigError::new("jwks", format!("cannot read {}: {error}", path.display()));
        let mut json = Vec::new();
        File::open(path)
            .map_err(unreadable)?
            // One byte more, so that a longer file is seen to be longer.
            .take(Self::MAX_BYTES as u64 + 1)
            .read_to_end(&mut json)
            .map_err(unreadable)?;
        Self::parse(json).map_err(|error| error.in_file(path))
    }

    fn from_parts(keys: Vec<(usize, Jwk)>, left_out: Vec<LeftOut>) -> Self {
        let (positions, keys): (Vec<usize>, Vec<Jwk>) = keys.into_iter().unzip();
        Self(Arc::new(Inner {
            keys,
            positions,
            left_out,
            published: OnceLock::new(),
        }))
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.0.keys
    }

    pub(crate) fn positions(&self) -> &[usize] {
        &self.0.positions
    }

    /// What the document held besides, and why it is not used.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.0.left_out
    }

    /// The set as JSON, rendered once.
    #[must_use]
    pub fn json(&self) -> &str {
        self.published().json()
    }

    pub(crate) fn published(&self) -> &Arc<PublishedKeys> {
        self.0
            .published
            .get_or_init(|| Arc::new(PublishedKeys::render(self.keys(), DEFAULT_MAX_AGE)))
    }
}

impl Serialize for JwkSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SetDocument { keys: self.keys() }.serialize(serializer)
    }
}

impl fmt::Debug for JwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwkSet")
            .field("keys", &self.0.keys)
            .field("left_out", &self.0.left_out)
            .finish()
    }
}

fn within_bounds(keys: usize) -> Result<(), ConfigError> {
    if keys > JwkSet::MAX_KEYS {
        return Err(ConfigError::new("jwks", "has more than 64 keys"));
    }
    Ok(())
}

/// Drops the keys of one type that share a `kid`, all of them.
fn without_ambiguous(read: Vec<(usize, Jwk)>, left_out: &mut Vec<LeftOut>) -> Vec<(usize, Jwk)> {
    let mut count: HashMap<(String, &'static str), usize> = HashMap::new();
    let name = |jwk: &Jwk| jwk.kid().map(|kid| (kid.to_owned(), jwk.key_type()));
    for name in read.iter().filter_map(|(_, jwk)| name(jwk)) {
        *count.entry(name).or_default() += 1;
    }
    let mut keys = Vec::with_capacity(read.len());
    for (position, jwk) in read {
        if name(&jwk).is_some_and(|name| count[&name] > 1) {
            left_out.push(LeftOut {
                position,
                kid: jwk.kid().map(str::to_owned),
                private: false,
                reason: ConfigError::new("kid", "is that of another key of this type as well"),
            });
        } else {
            keys.push((position, jwk));
        }
    }
    keys
}

/// A key of a set that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub(crate) position: usize,
    pub(crate) kid: Option<String>,
    pub(crate) private: bool,
    pub(crate) reason: ConfigError,
}

impl LeftOut {
    /// Its place in the document, from 0.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Its `kid`, as the document has it.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Another party wrote it: no longer than a `kid` may be.
    fn short_kid(&self) -> Option<String> {
        let kid = self.kid.as_ref()?;
        Some(kid.chars().take(crate::jwk::MAX_KID_BYTES).collect())
    }

    /// Why it is not used.
    #[must_use]
    pub const fn reason(&self) -> &ConfigError {
        &self.reason
    }

    /// Whether it carried a private member: its owner has published a secret.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        self.private
    }
}

impl Serialize for LeftOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Document {
            position: usize,
            kid: Option<String>,
            private: bool,
            reason: String,
        }
        Document {
            position: self.position,
            kid: self.short_kid(),
            private: self.private,
            reason: self.reason.to_string(),
        }
        .serialize(serializer)
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {}", self.position)?;
        if let Some(kid) = self.short_kid() {
            // Escaped.
            write!(f, " (kid {kid:?})")?;
        }
        write!(f, ": {}", self.reason)
    }
}
