//! Keys that stay as they are.

use super::ring::KeyRing;
use crate::{
    ConfigError, Jwk, JwkSet, SigningKey,
    published::{DEFAULT_MAX_AGE, PublishedKeys},
};
use std::{sync::Arc, time::Duration};

pub(crate) struct Fixed {
    pub(crate) signing: Arc<SigningKey>,
    pub(crate) published: Arc<PublishedKeys>,
    /// Those beside the one that signs.
    #[cfg_attr(
        not(feature = "rotation"),
        expect(dead_code, reason = "for the status")
    )]
    pub(crate) others: Vec<Jwk>,
}

impl Fixed {
    pub(super) fn new(
        signing: SigningKey,
        others: Vec<Jwk>,
        max_age: Duration,
    ) -> Result<Self, ConfigError> {
        let set = JwkSet::new(std::iter::once(signing.jwk()).chain(&others).cloned())?;
        Ok(Self {
            signing: Arc::new(signing),
            published: Arc::new(PublishedKeys::new(&set, max_age)),
            others,
        })
    }

    #[cfg(feature = "rotation")]
    pub(super) fn status(&self) -> crate::KeyRingStatus {
        crate::KeyRingStatus::of_fixed(self)
    }
}

/// Builds a [`KeyRing`] of several keys that stay as they are.
#[derive(Debug)]
#[must_use]
pub struct KeyRingBuilder {
    signing: SigningKey,
    others: Vec<Jwk>,
    max_age: Duration,
}

impl KeyRingBuilder {
    pub(super) const fn new(signing: SigningKey) -> Self {
        Self {
            signing,
            others: Vec::new(),
            max_age: DEFAULT_MAX_AGE,
        }
    }

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
