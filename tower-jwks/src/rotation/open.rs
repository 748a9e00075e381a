//! Opening the ring that a store has, or making one there.

use super::{
    document::{Document, RingKey, RingKeys, ring_name},
    files::Files,
    new_key::NewKey,
    policy::{Promise, RotationPolicy},
    reading::{run, what_is_there},
    rotating::Rotating,
    snapshot::Snapshot,
    source::{AnyStore, Source},
    state::{Entry, State},
    task,
};
use crate::{
    Algorithm, Clock, KeyEncryptionKey, KeyRing, KeyStore, KeysUnavailable, PemDirectory,
    StoredRing, Swap, SystemClock, UnixTime,
};
use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};
use zeroize::Zeroizing;

/// A ring that is about to be opened: await it.
///
/// ```
/// use tower_jwks::{Algorithm, KeyRing, MemoryStore};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::new();
/// let keys = KeyRing::open(store.clone()).algorithm(Algorithm::EdDSA).await?;
///
/// // Another process, and the same keys.
/// let other = KeyRing::open(store.clone()).algorithm(Algorithm::EdDSA).await?;
/// assert_eq!(keys.signing_key()?.kid(), other.signing_key()?.kid());
///
/// let error = KeyRing::open(store).algorithm(Algorithm::ES256).await.unwrap_err();
/// assert_eq!(error.to_string(), "the ring in the store is for EdDSA, not ES256");
/// # Ok(()) }
/// ```
#[must_use = "a ring is opened when this is awaited"]
pub struct OpenKeyRing {
    origin: Origin,
    algorithm: Option<Algorithm>,
    policy: RotationPolicy,
    kek: Option<KeyEncryptionKey>,
    clock: Arc<dyn Clock>,
    first: Option<Zeroizing<Vec<u8>>>,
    by_hand: bool,
}

/// Where a ring is, before it is opened.
enum Origin {
    Store(Box<dyn AnyStore>),
    Files(PemDirectory),
}

impl OpenKeyRing {
    pub(crate) fn of_store(store: impl KeyStore) -> Self {
        Self::new(Origin::Store(Box::new(store)))
    }

    pub(crate) fn of_files(directory: PemDirectory) -> Self {
        Self::new(Origin::Files(directory))
    }

    fn new(origin: Origin) -> Self {
        Self {
            origin,
            algorithm: None,
            policy: RotationPolicy::default(),
            kek: None,
            clock: Arc::new(SystemClock),
            first: None,
            by_hand: false,
        }
    }

    /// The algorithm of the ring. One that is there must have it. Default: that of the ring that is there; for one
    /// that is made, and for keys that are [followed](KeyRing::follow), the usual one of the first key; or RS256.
    pub const fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = Some(algorithm);
        self
    }

    /// When keys change. Default: [`RotationPolicy::default`]. How long a key signs that is
    /// [followed](KeyRing::follow), others decide.
    pub fn policy(mut self, policy: RotationPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Seals the private keys in the store. A document that is not sealed with this key is refused.
    /// Default: what the store has is not sealed. Keys that are [followed](KeyRing::follow) cannot be.
    pub fn key_encryption_key(mut self, key: KeyEncryptionKey) -> Self {
        self.kek = Some(key);
        self
    }

    /// The first key of a ring that is made, from PEM: the one that verifiers know already. Default: a new one.
    /// A ring that is [followed](KeyRing::follow) is not made.
    pub fn first_key(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.first = Some(Zeroizing::new(pem.as_ref().to_vec()));
        self
    }

    /// Takes the time from here. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Only looks, and does what it is told to: makes no ring where there is none, does not read the store again
    /// by itself, and leaves what is due to others. For tools: instead of a policy they go by what the ring has
    /// promised already, and for how long a key signs they leave to those who sign.
    pub const fn by_hand(mut self) -> Self {
        self.by_hand = true;
        self
    }

    async fn open(self) -> Result<KeyRing, KeysUnavailable> {
        let asked_at = self.clock.now();
        let (document, source) = match self.origin {
            Origin::Store(store) => {
                let making = Making {
                    algorithm: self.algorithm,
                    promise: self.policy.promise(),
                    kek: self.kek.clone(),
                    first: self.first,
                };
                let making = (!self.by_hand).then_some(making);
                let document = read(&*store, self.kek.clone(), making, asked_at).await?;
                (document, Source::Store(store))
            }
            Origin::Files(_) if self.kek.is_some() || self.first.is_some() => {
                return Err(KeysUnavailable::new(
                    "keys that are followed take no key-encryption key and no first key",
                ));
            }
            Origin::Files(directory) => {
                let files = Arc::new(Files::new(directory, self.algorithm));
                let (reading, promise) = (Arc::clone(&files), self.policy.promise());
                let document = run(move || reading.read(None, promise, asked_at)).await??;
                (document, Source::Files(files))
            }
        };
        let its = document.keys.algorithm;
        if let Some(asked) = self.algorithm.filter(|asked| *asked != its) {
            return Err(KeysUnavailable::new(format!(
                "the ring in the store is for {its}, not {asked}"
            )));
        }
        let policy = match self.by_hand {
            true => RotationPolicy::of_a_tool(document.state.promise),
            false => self.policy,
        };
        let first = Snapshot::new(document, asked_at, &policy, None);
        let rotating = Rotating::new(source, policy, self.kek, self.clock, first);
        let rotating = Arc::new(rotating);
        if !self.by_hand {
            // What is due, and a promise to be made before anything is signed. A store that cannot be written
            // now may still be good enough to sign by.
            if let Err(error) = rotating.advance().await {
                rotating.signing_key().map_err(|_| error)?;
            }
            tokio::spawn(task::run(Arc::downgrade(&rotating)));
        }
        Ok(KeyRing::of(rotating))
    }
}

/// What the store has, or what is made there.
async fn read(
    store: &dyn AnyStore,
    kek: Option<KeyEncryptionKey>,
    making: Option<Making>,
    now: UnixTime,
) -> Result<Document, KeysUnavailable> {
    let stored = match (store.load().await?, making) {
        (Some(stored), _) => stored,
        (None, Some(making)) => making.make(store, now).await?,
        (None, None) => return Err(KeysUnavailable::new("there is no ring in the store")),
    };
    let read = move || Document::read(&stored, kek.as_ref(), None);
    run(read).await?.map_err(|cause| what_is_there(&cause))
}

/// What a new ring is made with.
struct Making {
    algorithm: Option<Algorithm>,
    promise: Promise,
    kek: Option<KeyEncryptionKey>,
    first: Option<Zeroizing<Vec<u8>>>,
}

impl Making {
    /// Makes a ring, unless another is faster.
    async fn make(
        self,
        store: &dyn AnyStore,
        now: UnixTime,
    ) -> Result<StoredRing, KeysUnavailable> {
        let make = move || {
            let key = match (self.first, self.algorithm) {
                (Some(pem), Some(algorithm)) => NewKey::from_pem(algorithm, &pem)?,
                (Some(pem), None) => NewKey::from_any_pem(&pem)?,
                (None, algorithm) => NewKey::generate(algorithm.unwrap_or(Algorithm::RS256))?,
            };
            let algorithm = key.signing.algorithm();
            let entry = Entry::new(key.signing.kid().into(), key.signing.not_after(), now);
            if !entry.lasts_from(now, &self.promise) {
                return Err(KeysUnavailable::new(
                    "the first key ends before the next one could be announced",
                ));
            }
            let ring = ring_name()?;
            let key = RingKey::new(key, &ring, self.kek.as_ref())?;
            let document = Document {
                state: State::first(self.promise, entry, now),
                keys: RingKeys {
                    ring,
                    algorithm,
                    keys: vec![key],
                },
            };
            document.write(self.kek.as_ref())
        };
        let written = run(make).await??;
        match store.compare_and_swap(None, written.clone()).await? {
            Swap::Done => Ok(written),
            Swap::Conflict => {
                let stored = store.load().await?;
                stored.ok_or_else(|| KeysUnavailable::new("the store has a ring, and then none"))
            }
        }
    }
}

impl IntoFuture for OpenKeyRing {
    type Output = Result<KeyRing, KeysUnavailable>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

impl fmt::Debug for OpenKeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenKeyRing")
            .field("algorithm", &self.algorithm)
            .field("policy", &self.policy)
            .field("key_encryption_key", &self.kek.is_some())
            .field("by_hand", &self.by_hand)
            .finish_non_exhaustive()
    }
}
