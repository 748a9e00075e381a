//! The handle that signs and publishes.

use crate::{
    Algorithm, ConfigError, Jwk, JwkSet, KeysUnavailable, SigningKey,
    published::{DEFAULT_MAX_AGE, PublishedKeys},
};
use std::{fmt, sync::Arc, time::Duration};

/// Our keys: the one that signs, and the set that is published.
///
/// A handle: clones share the keys, so that what signs and what publishes never disagree. The
/// published set always contains the key that signs.
///
/// ```
/// use tower_jwks::{Algorithm, KeyRing, SigningKey};
///
/// let next = SigningKey::generate(Algorithm::ES256)?;
/// let keys = KeyRing::builder(SigningKey::generate(Algorithm::ES256)?)
///     .publish(&next) // known to verifiers before it signs
///     .build()?;
/// assert!(keys.published()?.json().contains(next.kid()));
/// assert_ne!(keys.signing_key()?.kid(), next.kid());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct KeyRing(Arc<Snapshot>);

struct Snapshot {
    signing: Arc<SigningKey>,
    published: Arc<PublishedKeys>,
}

impl KeyRing {
    /// A ring of one new key, which lives as long as the process does.
    ///
    /// # Errors
    ///
    /// As [`SigningKey::generate`].
    pub fn generate(algorithm: Algorithm) -> Result<Self, ConfigError> {
        SigningKey::generate(algorithm).map(Self::new)
    }

    /// A ring of one key.
    #[must_use]
    pub fn new(signing: SigningKey) -> Self {
        Self::from_parts(signing, Vec::new(), DEFAULT_MAX_AGE)
            .expect("one key cannot share its kid with another")
    }

    /// A ring in which `signing` is the active key and others are published beside it.
    pub const fn builder(signing: SigningKey) -> KeyRingBuilder {
        KeyRingBuilder {
            signing,
            others: Vec::new(),
            max_age: DEFAULT_MAX_AGE,
        }
    }

    fn from_parts(
        signing: SigningKey,
        others: Vec<Jwk>,
        max_age: Duration,
    ) -> Result<Self, ConfigError> {
        let set = JwkSet::new(std::iter::once(signing.jwk().clone()).chain(others))?;
        Ok(Self(Arc::new(Snapshot {
            signing: Arc::new(signing),
            published: Arc::new(PublishedKeys::new(&set, max_age)),
        })))
    }

    /// The algorithm the ring signs with, for as long as it lives: its keys change, that does not.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.signing.algorithm()
    }

    /// The key that signs now. Ask for it each time: another may sign next.
    ///
    /// # Errors
    ///
    /// No key may sign now.
    pub fn signing_key(&self) -> Result<Arc<SigningKey>, KeysUnavailable> {
        Ok(Arc::clone(&self.0.signing))
    }

    /// The set that is published now.
    ///
    /// # Errors
    ///
    /// No set may be published now.
    pub fn published(&self) -> Result<Arc<PublishedKeys>, KeysUnavailable> {
        Ok(Arc::clone(&self.0.published))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing")
            .field("signing", &self.0.signing)
            .finish_non_exhaustive()
    }
}

/// Builds a [`KeyRing`] of several keys.
#[derive(Debug)]
#[must_use]
pub struct KeyRingBuilder {
    signing: SigningKey,
    others: Vec<Jwk>,
    max_age: Duration,
}

impl KeyRingBuilder {
    /// Publishes a key that does not sign: one that will, or that did while tokens of it live.
    pub fn publish(mut self, key: impl Into<Jwk>) -> Self {
        self.others.push(key.into());
        self
    }

    /// How long verifiers may keep the set, whole seconds. Default: 10 minutes.
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// The ring.
    ///
    /// # Errors
    ///
    /// Two keys share a `kid`, a key published beside has none, or there are more keys than
    /// [`JwkSet::MAX_KEYS`].
    pub fn build(self) -> Result<KeyRing, ConfigError> {
        if self.others.iter().any(|key| key.kid().is_none()) {
            return Err(ConfigError::new("kid", "a published key has none"));
        }
        KeyRing::from_parts(self.signing, self.others, self.max_age)
    }
}
