//! The handle that signs and publishes.

use super::fixed::{Fixed, KeyRingBuilder};
use crate::{
    Algorithm, ConfigError, Jwk, KeysUnavailable, SigningKey,
    published::{DEFAULT_MAX_AGE, PublishedKeys},
};
#[cfg(feature = "rotation")]
use crate::{KeyRingStatus, KeyStore, OpenKeyRing, PemDirectory, UnixTime, rotation::Rotating};
use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

/// Our keys: the one that signs, and the set that is published.
///
/// A handle: clones share the keys, so that what signs and what publishes never disagree. The
/// published set always contains the key that signs.
///
/// Its keys stay as they are, or they [rotate](Self::open), in one process or in many that share a
/// [`KeyStore`].
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
pub struct KeyRing(Kind);

#[derive(Clone)]
enum Kind {
    Fixed(Arc<Fixed>),
    #[cfg(feature = "rotation")]
    Rotating(Arc<Rotating>),
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
        KeyRingBuilder::new(signing)
    }

    pub(super) fn from_parts(
        signing: SigningKey,
        others: Vec<Jwk>,
        max_age: Duration,
    ) -> Result<Self, ConfigError> {
        let fixed = Fixed::new(signing, others, max_age)?;
        Ok(Self(Kind::Fixed(Arc::new(fixed))))
    }

    /// The algorithm the ring signs with, for as long as it lives: its keys change, that does not.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Kind::Fixed(fixed) => fixed.signing.algorithm(),
            #[cfg(feature = "rotation")]
            Kind::Rotating(rotating) => rotating.algorithm,
        }
    }

    /// The longest life of a token that the ring's keys may sign; `None` if it does not matter, as the keys stay.
    ///
    /// A key is published until the tokens it has signed are expired: one that lives longer may outlive its key.
    #[must_use]
    pub fn token_life(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Fixed(_) => None,
            #[cfg(feature = "rotation")]
            Kind::Rotating(rotating) => Some(rotating.policy.token_life()),
        }
    }

    /// Whether the ring makes keys by itself, which have no certificate.
    ///
    /// ```
    /// use tower_jwks::{Algorithm, KeyRing};
    ///
    /// assert!(!KeyRing::generate(Algorithm::ES256)?.makes_keys(), "it has one key for ever");
    /// # Ok::<(), tower_jwks::ConfigError>(())
    /// ```
    #[must_use]
    pub fn makes_keys(&self) -> bool {
        match &self.0 {
            Kind::Fixed(_) => false,
            #[cfg(feature = "rotation")]
            Kind::Rotating(rotating) => rotating.makes_keys(),
        }
    }

    /// The key that signs now. Ask for it each time: another may sign next.
    ///
    /// # Errors
    ///
    /// No key may sign now.
    pub fn signing_key(&self) -> Result<Arc<SigningKey>, KeysUnavailable> {
        match &self.0 {
            Kind::Fixed(fixed) => Ok(Arc::clone(&fixed.signing)),
            #[cfg(feature = "rotation")]
            Kind::Rotating(rotating) => rotating.signing_key(),
        }
    }

    /// Whether this is the key that signs now: what [`signing_key`](Self::signing_key) returns, without
    /// taking hold of it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tower_jwks::{Algorithm, KeyRing};
    ///
    /// let keys = KeyRing::generate(Algorithm::ES256)?;
    /// let key = Arc::downgrade(&keys.signing_key()?);
    /// assert!(keys.is_signing_key(&key)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`signing_key`](Self::signing_key).
    pub fn is_signing_key(&self, key: &Weak<SigningKey>) -> Result<bool, KeysUnavailable> {
        let is = |signing: &Arc<SigningKey>| Arc::as_ptr(signing) == key.as_ptr();
        match &self.0 {
            Kind::Fixed(fixed) => Ok(is(&fixed.signing)),
            #[cfg(feature = "rotation")]
            Kind::Rotating(rotating) => rotating.with_signing_key(is),
        }
    }

    /// The set that is published now.
    ///
    /// # Errors
    ///
    /// No set may be published now.
    pub fn published(&self) -> Result<Arc<PublishedKeys>, KeysUnavailable> {
        match &self.0 {
            Kind::Fixed(fixed) => Ok(Arc::clone(&fixed.published)),
            #[cfg(feature = "rotation")]
            Kind::Rotating(rotating) => rotating.published(),
        }
    }
}

/// Keys that rotate.
#[cfg(feature = "rotation")]
impl KeyRing {
    /// Opens the ring that a store has, or makes one there. From then on its keys rotate, for as long as a
    /// handle of it lives.
    ///
    /// Any number of processes may share a store. None of them leads: each does what is due, and
    /// the store takes the first.
    ///
    /// Has to be awaited on a tokio runtime, which the task that reads the store runs on.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tower_jwks::{Algorithm, KeyRing, KeyState, MemoryStore, RotationPolicy};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let policy = RotationPolicy::builder()
    ///     .token_life(Duration::from_secs(900))
    ///     .build()?;
    /// // In more than one process: a `DirectoryStore`, or a store of your own.
    /// let keys = KeyRing::open(MemoryStore::new())
    ///     .algorithm(Algorithm::ES256)
    ///     .policy(policy)
    ///     .await?;
    ///
    /// // One key signs; another is known to verifiers already.
    /// let states: Vec<_> = keys.status().keys.iter().map(|key| key.state).collect();
    /// assert_eq!(states, [KeyState::Active, KeyState::Pending]);
    /// assert!(keys.published()?.json().contains(keys.signing_key()?.kid()));
    /// # Ok(()) }
    /// ```
    pub fn open(store: impl KeyStore) -> OpenKeyRing {
        OpenKeyRing::of_store(store)
    }

    /// Follows the keys that others put into a directory, for as long as a handle lives. It is read only.
    ///
    /// A key whose file appears is published at once, and signs when every verifier can have it: the newest one,
    /// or the one that is [named](PemDirectory::active). One whose file disappears is published until its
    /// tokens are expired, and signs until the next may. So it has to be the same process that saw it: where
    /// processes come and go, leave the file of a key beside the next one's for as long as
    /// [`RotationPolicy::afterlife`](crate::RotationPolicy::afterlife) and
    /// [`announcement`](crate::RotationPolicy::announcement) together. A process that starts and finds one key
    /// alone takes it for one that verifiers know.
    ///
    /// All keys are of one algorithm. Of a [policy](OpenKeyRing::policy) the interval has no say here: a key signs
    /// until there is a file of a newer one. [`rotate`](Self::rotate), [`revoke`](Self::revoke) and
    /// [`import`](Self::import) are refused; a compromised key is revoked in the file `revoked`.
    ///
    /// ```
    /// use tower_jwks::{Algorithm, KeyRing, PemDirectory};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::env::temp_dir().join(format!("tower-jwks-follow-{}", std::process::id()));
    /// # std::fs::create_dir_all(&path)?;
    /// # std::fs::write(path.join("2026.pem"), rcgen::KeyPair::generate()?.serialize_pem())?;
    /// let keys = KeyRing::follow(PemDirectory::new(&path)).await?;
    /// assert_eq!(keys.algorithm(), Algorithm::ES256, "as the key is of P-256");
    /// # std::fs::remove_dir_all(path)?;
    /// # Ok(()) }
    /// ```
    pub fn follow(directory: PemDirectory) -> OpenKeyRing {
        OpenKeyRing::of_files(directory)
    }

    pub(crate) const fn of(rotating: Arc<Rotating>) -> Self {
        Self(Kind::Rotating(rotating))
    }

    /// Has the next key sign as soon as every verifier can have it, and tells when that is.
    ///
    /// Where a rotation is under way already, that one is told of.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written, or the keys are not the ring's to change.
    pub async fn rotate(&self) -> Result<UnixTime, KeysUnavailable> {
        self.rotating()?.rotate().await
    }

    /// Revokes a key: it is published no more and signs no more, here at once, in every other process as soon
    /// as it has read the store. If it was the active key, the one in reserve takes over, at once as a rule:
    /// when it has been published for as long as that takes; until then nothing is signed.
    ///
    /// Verifiers believe the key for as long as they keep the set they have. For a while they are told to keep
    /// the new one for a shorter time. To revoke a key again changes nothing.
    ///
    /// # Errors
    ///
    /// The ring has no such key, the store cannot be read or written, or the keys are not the ring's to
    /// change.
    pub async fn revoke(&self, kid: &str) -> Result<(), KeysUnavailable> {
        self.rotating()?.revoke(kid).await
    }

    /// Takes a private key of your own into the ring: PEM, with its certificate if it is in there too. It is
    /// published, and signs when its turn comes: after those that wait already.
    ///
    /// Gives its `kid`.
    ///
    /// # Errors
    ///
    /// It is no readable key, does not fit the ring's algorithm, is in the ring, was revoked, or ends
    /// before it could be of use; the ring has no room; the store cannot be read or written; or the keys
    /// are not the ring's to change.
    pub async fn import(&self, pem: impl AsRef<[u8]>) -> Result<String, KeysUnavailable> {
        self.rotating()?.import(pem.as_ref()).await
    }

    /// Reads the store now, and does what is due, instead of at the next poll.
    ///
    /// # Errors
    ///
    /// The store cannot be read or written, what is there is refused, or the keys stay as they are.
    pub async fn refresh(&self) -> Result<(), KeysUnavailable> {
        self.rotating()?.refresh().await
    }

    pub(crate) fn rotating(&self) -> Result<&Arc<Rotating>, KeysUnavailable> {
        match &self.0 {
            Kind::Rotating(rotating) => Ok(rotating),
            Kind::Fixed(_) => Err(KeysUnavailable::new(
                "the keys of this ring stay as they are",
            )),
        }
    }

    /// What is known of the keys, for an operator to look at.
    #[must_use]
    pub fn status(&self) -> KeyRingStatus {
        match &self.0 {
            Kind::Fixed(fixed) => fixed.status(),
            Kind::Rotating(rotating) => rotating.status(),
        }
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ring = f.debug_struct("KeyRing");
        match &self.0 {
            Kind::Fixed(fixed) => ring.field("signing", &fixed.signing),
            #[cfg(feature = "rotation")]
            Kind::Rotating(rotating) => ring.field("rotating", rotating),
        };
        ring.finish_non_exhaustive()
    }
}
