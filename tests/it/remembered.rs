//! Tokens that were verified before: a request with one is answered as if it were the first, and costs no
//! signature.

mod asked_each_time;
mod bounds;
mod handed_on;
mod issuers_keys;
mod never_kept;
mod once;
mod revoked;
mod shared;
mod time;
mod whole;

use http::Request;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tests::{
    echo::Echo,
    forge::{self, AUDIENCE, ISSUER, Token},
    keys::{key, new_key},
    time::{NOW, clock},
    upstream::{Answer, get, get_with, send, signed},
};
use tower::Layer;
use tower_backend_jwt::{
    AccessToken, AccessTokenLayer, Issuer, KnownBy, Refusal, RefusalReason as R, Revocations,
    TokenCache, VerifiedToken, Verifier, VerifierBuilder,
};
use tower_jwks::{
    Algorithm, JwkSet, KeySet, KeySource, KeysUnavailable, ManualClock, SigningKey, UnixTime,
};

const ALGORITHM: Algorithm = Algorithm::EdDSA;

/// Whatever holds of remembered tokens holds of both.
const BOTH: [KnownBy; 2] = [KnownBy::Text, KnownBy::Sha256];

fn after(start: UnixTime, seconds: u64) -> UnixTime {
    start.saturating_add(Duration::from_secs(seconds))
}

/// An issuer's keys, exchanged and withheld at will. Knows how often a token was verified with them.
#[derive(Clone)]
struct Source(Arc<SourceState>);

struct SourceState {
    keys: Mutex<Option<Arc<KeySet>>>,
    verified: AtomicUsize,
}

impl Source {
    fn of(keys: &[&SigningKey]) -> Self {
        Self(Arc::new(SourceState {
            keys: Mutex::new(Some(set(keys))),
            verified: AtomicUsize::new(0),
        }))
    }

    fn now(&self) -> MutexGuard<'_, Option<Arc<KeySet>>> {
        self.0.keys.lock().unwrap()
    }

    /// Has another set from now on, of these keys.
    fn exchange(&self, keys: &[&SigningKey]) {
        *self.now() = Some(set(keys));
    }

    /// How often keys were taken to verify with.
    fn verified(&self) -> usize {
        self.0.verified.load(Ordering::Relaxed)
    }
}

fn set(keys: &[&SigningKey]) -> Arc<KeySet> {
    let keys = keys.iter().map(|key| (*key).into());
    Arc::new(KeySet::new(&JwkSet::new(keys).unwrap(), Algorithm::ALL))
}

impl KeySource for Source {
    fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable> {
        self.0.verified.fetch_add(1, Ordering::Relaxed);
        let keys = self.now().clone();
        keys.ok_or_else(|| KeysUnavailable::new("are withheld"))
    }

    fn are_current(&self, keys: &Weak<KeySet>) -> Result<bool, KeysUnavailable> {
        let now = self.now();
        let now = now
            .as_ref()
            .ok_or_else(|| KeysUnavailable::new("are withheld"))?;
        Ok(Arc::as_ptr(now) == keys.as_ptr())
    }
}

/// The layer over a service, and all that decides what it says.
struct Gateway {
    service: AccessToken<Echo>,
    behind: Echo,
    verifier: Verifier,
    tokens: TokenCache,
    source: Source,
    clock: ManualClock,
    revocations: Revocations,
}

impl Gateway {
    fn new(known_by: KnownBy) -> Self {
        Self::with(known_by, ALGORITHM, |layer| layer)
    }

    /// Over keys of this algorithm, with a layer that is changed.
    fn with(
        known_by: KnownBy,
        algorithm: Algorithm,
        change: impl FnOnce(AccessTokenLayer) -> AccessTokenLayer,
    ) -> Self {
        let (source, clock) = (Source::of(&[key(algorithm)]), clock());
        let revocations = Revocations::with_clock(100, clock.clone());
        let verifier = builder(&source, &clock)
            .known_by(known_by)
            .revocations(revocations.clone())
            .build()
            .unwrap();
        let tokens = TokenCache::default();
        let layer = AccessTokenLayer::new(verifier.clone()).token_cache(tokens.clone());
        let behind = Echo::new();
        Self {
            service: change(layer).layer(behind.clone()),
            behind,
            verifier,
            tokens,
            source,
            clock,
            revocations,
        }
    }

    async fn ask(&self, token: &str) -> Result<VerifiedToken, (u16, R)> {
        ask(&self.service, &self.behind, get_with(token)).await
    }

    fn entries(&self) -> usize {
        self.tokens.status().entries
    }
}

/// Trusts [`ISSUER`] with the keys of this source.
fn builder(source: &Source, clock: &ManualClock) -> VerifierBuilder {
    let issuer = Issuer::from_source(ISSUER, source.clone()).audience(AUDIENCE);
    Verifier::builder()
        .issuer(issuer.build().unwrap())
        .clock(clock.clone())
}

/// What the service behind is given as the proof, or why it is given nothing.
async fn ask(
    service: &AccessToken<Echo>,
    behind: &Echo,
    request: Request<()>,
) -> Result<VerifiedToken, (u16, R)> {
    let heard = behind.count();
    let answer = send(service, request).await;
    if answer.status() == 200 {
        assert_eq!(behind.count(), heard + 1);
        return Ok(behind.last().extensions.get().cloned().unwrap());
    }
    assert_eq!(behind.count(), heard, "a refused request goes nowhere");
    Err((answer.status().as_u16(), reason(&answer)))
}

fn reason(answer: &Answer) -> R {
    answer.head.extensions.get::<Refusal>().unwrap().reason()
}

const UNKNOWN_KEY: (u16, R) = (401, R::UnknownKey);
const REVOKED: (u16, R) = (401, R::Revoked);
const NO_KEYS: (u16, R) = (503, R::KeysUnavailable);
