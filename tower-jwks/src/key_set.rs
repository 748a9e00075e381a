//! Prepared public keys, found by `kid` and algorithm.

use crate::{Algorithm, ConfigError, JwkSet, LeftOut, VerifyingKey};
use std::{collections::HashMap, sync::Arc};

/// The public keys of one issuer, prepared, found by `kid` and algorithm.
///
/// ```
/// use tower_jwks::{Algorithm, JwkSet, KeySet, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::ES256)?;
/// let keys = KeySet::new(&JwkSet::new([key.jwk().clone()])?, Algorithm::ALL);
/// assert_eq!(keys.find(Some(key.kid()), Algorithm::ES256).count(), 1);
/// assert_eq!(keys.find(Some("another"), Algorithm::ES256).count(), 0);
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Debug, Default)]
pub struct KeySet {
    /// In the order of the document, so that each process tries them in the same.
    keys: Vec<Arc<VerifyingKey>>,
    named: HashMap<Box<str>, Vec<Arc<VerifyingKey>>>,
    unnamed: Vec<Arc<VerifyingKey>>,
    left_out: Vec<LeftOut>,
}

impl KeySet {
    /// The most keys that are tried for one token: 16.
    pub const MAX_CANDIDATES: usize = 16;

    /// Prepares the keys of a set for those of `algorithms` that fit.
    ///
    /// A key without `alg` is prepared once for each algorithm that fits it. Keys that cannot be
    /// prepared are left out by name, those that the document's reading left out among them.
    #[must_use]
    pub fn new(set: &JwkSet, algorithms: &[Algorithm]) -> Self {
        let mut keys = Self {
            left_out: set.left_out().to_vec(),
            ..Self::default()
        };
        for (jwk, position) in set.keys().iter().zip(set.positions()) {
            let fitting: Vec<Algorithm> = algorithms
                .iter()
                .copied()
                .filter(|algorithm| match jwk.algorithm() {
                    Some(bound) => bound == *algorithm,
                    None => algorithm.key_type() == jwk.material().key_type(),
                })
                .collect();
            let reason = if fitting.is_empty() {
                Some(ConfigError::new(
                    "alg",
                    "is for no algorithm that is allowed",
                ))
            } else {
                fitting.into_iter().find_map(|algorithm| {
                    match VerifyingKey::from_jwk(algorithm, jwk) {
                        Ok(key) => {
                            keys.insert(key);
                            None
                        }
                        Err(reason) => Some(reason),
                    }
                })
            };
            if let Some(reason) = reason {
                keys.left_out.push(LeftOut {
                    position: *position,
                    kid: jwk.kid().map(str::to_owned),
                    private: false,
                    reason,
                });
            }
        }
        keys.left_out.sort_by_key(LeftOut::position);
        keys
    }

    fn insert(&mut self, key: VerifyingKey) {
        let key = Arc::new(key);
        self.keys.push(Arc::clone(&key));
        match key.kid() {
            Some(kid) => self.named.entry(kid.into()).or_default().push(key),
            None => self.unnamed.push(key),
        }
    }

    /// The keys to try for a token with this `kid` and algorithm, at most
    /// [`MAX_CANDIDATES`](Self::MAX_CANDIDATES).
    ///
    /// With a `kid`: the keys of that name, then those that have none. Without: all, in the order of
    /// the document.
    pub fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &Arc<VerifyingKey>> {
        let (first, then): (&[_], &[_]) = match kid {
            Some(kid) => (
                self.named.get(kid).map_or(&[], Vec::as_slice),
                &self.unnamed,
            ),
            None => (&self.keys, &[]),
        };
        first
            .iter()
            .chain(then)
            .filter(move |key| key.algorithm() == algorithm)
            .take(Self::MAX_CANDIDATES)
    }

    /// Whether a key of this name and algorithm is among them.
    #[must_use]
    pub fn contains(&self, kid: &str, algorithm: Algorithm) -> bool {
        self.named
            .get(kid)
            .is_some_and(|keys| keys.iter().any(|key| key.algorithm() == algorithm))
    }

    /// The keys, in the order of the document; one without `alg` once for each of its algorithms.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<VerifyingKey>> {
        self.keys.iter()
    }

    /// Whether there is no key that could verify anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that are not used, and why.
    #[must_use]
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }
}

impl FromIterator<VerifyingKey> for KeySet {
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        let mut set = Self::default();
        for key in keys {
            set.insert(key);
        }
        set
    }
}
