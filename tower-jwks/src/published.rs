//! The document that is published: rendered once, with the header fields that go with it.

#[cfg(feature = "rotation")]
use crate::rotation::Audience;
use crate::{Jwk, JwkSet, KeyRing, KeysUnavailable, MediaType, crypto, serve::Document};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderValue, header::VARY};
use serde::Serialize;
use std::{fmt, sync::Arc, time::Duration};

/// How long a verifier may keep a set, unless another time is chosen: 10 minutes.
pub(crate) const DEFAULT_MAX_AGE: Duration = Duration::from_secs(600);

/// Keys as they are published: the JSON of a set, its entity tag, and how long it may be kept.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use tower_jwks::{Algorithm, JwkSet, JwksEndpoint, PublishedKeys, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::EdDSA)?;
/// let set = JwkSet::new([(&key).into()])?;
/// let published = Arc::new(PublishedKeys::new(&set, Duration::from_secs(3600)));
/// assert_eq!(published.json(), set.json());
/// let endpoint = JwksEndpoint::new(published);
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct PublishedKeys {
    max_age: Duration,
    /// Who counts those that are given it, for each key that is to sign later.
    #[cfg(feature = "rotation")]
    audiences: Arc<[Arc<Audience>]>,
    as_json: Document,
    as_jwk_set: Document,
}

impl PublishedKeys {
    /// Publishes `set`; a verifier may keep it for `max_age`, whole seconds of it.
    #[must_use]
    pub fn new(set: &JwkSet, max_age: Duration) -> Self {
        Self::render(set.keys(), max_age)
    }

    pub(crate) fn render(keys: &[Jwk], max_age: Duration) -> Self {
        Self::tagged(keys, max_age, "")
    }

    /// A set of a ring that rotates. Its tag begins with the epoch.
    #[cfg(feature = "rotation")]
    pub(crate) fn of_ring(
        keys: &[Jwk],
        max_age: Duration,
        epoch: u64,
        audiences: Arc<[Arc<Audience>]>,
    ) -> Self {
        Self {
            audiences,
            ..Self::tagged(keys, max_age, &format!("{epoch}."))
        }
    }

    fn tagged(keys: &[Jwk], max_age: Duration, epoch: &str) -> Self {
        let json = serde_json::to_string(&SetDocument { keys })
            .expect("strings in maps and arrays always serialize");
        let tag = format!("{epoch}{}", entity_tag(&json));
        let json = Bytes::from(json);
        let cache_control = format!("public, max-age={}", max_age.as_secs());
        let vary = [(VARY, HeaderValue::from_static("accept"))];
        let document = |tag: &str, media_type: MediaType| {
            let body = json.clone();
            Document::new(body, tag, media_type.value(), &cache_control, &vary)
        };
        Self {
            // A strong tag belongs to one representation, so each media type has its own
            // (RFC 9110 section 8.8.1).
            as_json: document(&tag, MediaType::Json),
            as_jwk_set: document(&format!("{tag}.jwk-set"), MediaType::JwkSet),
            max_age,
            #[cfg(feature = "rotation")]
            audiences: Arc::default(),
        }
    }

    /// Somebody who calls himself that has the set: he was given it, or has said so.
    pub(crate) fn known_to(&self, user_agent: Option<&HeaderValue>) {
        #[cfg(feature = "rotation")]
        for audience in &*self.audiences {
            audience.saw(user_agent.map_or(&[], HeaderValue::as_bytes));
        }
        #[cfg(not(feature = "rotation"))]
        let _ = user_agent;
    }

    /// The set as JSON.
    #[must_use]
    pub fn json(&self) -> &str {
        std::str::from_utf8(self.as_json.body()).expect("rendered as a string")
    }

    /// How long a verifier may keep it.
    #[must_use]
    pub const fn max_age(&self) -> Duration {
        self.max_age
    }

    pub(crate) const fn document(&self, media_type: MediaType) -> &Document {
        match media_type {
            MediaType::Json => &self.as_json,
            MediaType::JwkSet => &self.as_jwk_set,
        }
    }
}

impl fmt::Debug for PublishedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublishedKeys")
            .field("json", &self.json())
            .field("max_age", &self.max_age)
            .finish_non_exhaustive()
    }
}

/// A JWK Set as RFC 7517 section 5 writes it.
#[derive(Serialize)]
pub(crate) struct SetDocument<'a> {
    pub(crate) keys: &'a [Jwk],
}

/// What names this text and no other: half of its SHA-256, without quotes.
pub(crate) fn entity_tag(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&crypto::sha256(text.as_bytes())[..16])
}

/// Something whose public keys are published: a [`KeyRing`], a [`JwkSet`], or your own.
pub trait PublishKeys: Send + Sync + 'static {
    /// The keys as they are to be published now. Called for each request: it should cost no more
    /// than cloning an `Arc`.
    ///
    /// # Errors
    ///
    /// When there is nothing that may be published; the caller is answered `503`, never an empty
    /// set.
    fn published(&self) -> Result<Arc<PublishedKeys>, KeysUnavailable>;
}

impl<T: PublishKeys + ?Sized> PublishKeys for Arc<T> {
    fn published(&self) -> Result<Arc<PublishedKeys>, KeysUnavailable> {
        (**self).published()
    }
}

impl PublishKeys for KeyRing {
    fn published(&self) -> Result<Arc<PublishedKeys>, KeysUnavailable> {
        Self::published(self)
    }
}

impl PublishKeys for JwkSet {
    fn published(&self) -> Result<Arc<PublishedKeys>, KeysUnavailable> {
        Ok(Arc::clone(Self::published(self)))
    }
}

/// Always these.
impl PublishKeys for Arc<PublishedKeys> {
    fn published(&self) -> Result<Self, KeysUnavailable> {
        Ok(Self::clone(self))
    }
}
