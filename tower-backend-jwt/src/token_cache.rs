//! Tokens that were verified, so that the next request with one costs no signature.

use crate::{
    CacheStatus, VerifiedToken,
    bounded::{self, Bounded, EvenShare, USUAL_BYTES, USUAL_ENTRIES},
    identity::{Hashed, Sought},
};
use quick_cache::{Equivalent, Weighter};
use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Tokens that were verified, bounded in entries and in bytes. What nobody asks for goes first. Clones
/// share them.
///
/// An [`AccessTokenLayer`](crate::AccessTokenLayer) has one of its own; hand one to several layers, to have
/// one bound for all of them. A token counts only for the [`Verifier`](crate::Verifier) that has verified
/// it, or a clone of that. A layer that is made from an [`Issuer`](crate::Issuer) makes a verifier of its own, and
/// has no token in common with another.
///
/// Only what was verified is in it, under the [whole token](crate::KnownBy). With each request a token that is
/// found is held against the time, the verifier's [`Revocations`](crate::Revocations) and the issuer's keys:
/// it is verified anew if these are not the same any more, and refused if they are not to be had. Scopes and
/// checks are the layer's, and asked each time.
///
/// ```
/// use tower::{Layer, ServiceExt};
/// use tower_backend_jwt::{AccessTokenLayer, Issuer, TokenCache, Verifier};
/// # use http::{Request, Response};
/// # use http_body_util::Empty;
/// # use std::time::{SystemTime, UNIX_EPOCH};
/// # use tower_jwks::{Algorithm, JwkSet, SigningKey};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let in_a_minute = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() + 60;
/// # let provider = SigningKey::generate(Algorithm::ES256)?;
/// # let claims = format!(
/// #     r#"{{"iss":"https://idp.example.com","aud":"orders","sub":"alice","exp":{in_a_minute}}}"#
/// # );
/// # let token = format!("Bearer {}", provider.sign_jws("at+jwt", claims.as_bytes())?);
/// # let issuer = Issuer::from_jwks("https://idp.example.com", JwkSet::new([(&provider).into()])?)
/// #     .audience("orders")
/// #     .build()?;
/// # let service = tower::service_fn(async |_: Request<()>| {
/// #     Ok::<_, std::convert::Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
/// # });
/// let tokens = TokenCache::new(50_000, 256 * 1024 * 1024);
/// let verifier = Verifier::from(issuer); // one, of which each layer has a clone
/// let layer = || AccessTokenLayer::new(verifier.clone()).token_cache(tokens.clone());
/// let (orders, stock) = (layer().layer(service), layer().layer(service));
///
/// for service in [orders, stock] {
///     let request = Request::get("/").header("authorization", &token).body(())?;
///     assert_eq!(service.oneshot(request).await?.status(), 200);
/// }
/// assert_eq!(tokens.status().misses, 1, "the other layer found it");
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct TokenCache(Arc<Shared>);

struct Shared {
    tokens: Bounded<Key, VerifiedToken, Hashed>,
    misses: AtomicU64,
}

struct Key(VerifiedToken);

impl TokenCache {
    /// Room for so many tokens, and so many bytes of them. With no entries nothing is kept.
    ///
    /// A token of 1,600 bytes takes about 2.8 KB, and a longer one accordingly more. With fewer bytes for each
    /// entry than a token takes, there is room for fewer tokens.
    ///
    /// The room is split evenly among parts, of 64 KiB at least, and which part a token falls into is by chance: when
    /// the bounds are reached there may be a few per cent fewer tokens than that. What takes more than a part has room
    /// for is never kept.
    pub fn new(entries: usize, bytes: u64) -> Self {
        Self(Arc::new(Shared {
            tokens: bounded::cache(entries, bytes),
            misses: AtomicU64::new(0),
        }))
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> CacheStatus {
        CacheStatus {
            entries: self.0.tokens.len(),
            bytes: self.0.tokens.weight(),
            misses: self.0.misses.load(Ordering::Relaxed),
        }
    }

    /// Forgets all tokens: each is verified anew when it comes again.
    pub fn clear(&self) {
        self.0.tokens.clear();
    }

    pub(crate) fn find(&self, token: &Sought<'_>) -> Option<VerifiedToken> {
        self.0.tokens.get(token)
    }

    pub(crate) fn insert(&self, token: VerifiedToken) {
        self.0.misses.fetch_add(1, Ordering::Relaxed);
        self.0.tokens.insert(Key(token.clone()), token);
    }

    pub(crate) fn remove(&self, token: &Sought<'_>) {
        self.0.tokens.remove(token);
    }
}

/// Room for 10,000 tokens, and 64 MiB of them.
impl Default for TokenCache {
    fn default() -> Self {
        Self::new(USUAL_ENTRIES, USUAL_BYTES)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.hash());
    }
}

impl Hash for Sought<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Equivalent<Key> for Sought<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        key.0.is(self)
    }
}

impl Weighter<Key, VerifiedToken> for EvenShare {
    fn weight(&self, _: &Key, token: &VerifiedToken) -> u64 {
        self.weigh(token.size())
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenCache").field(&self.status()).finish()
    }
}
