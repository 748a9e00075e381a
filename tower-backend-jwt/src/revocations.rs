//! Tokens that are not taken any more before they expire.

use crate::VerifiedToken;
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tower_jwks::{Clock, ConfigError, SystemClock, UnixTime};

/// Tokens that are not taken any more, though they are not expired. Clones share them.
///
/// Whoever hears of a revocation, from the identity provider, an operator or a log-out, tells them; a
/// [`Verifier`](crate::Verifier) that was [given them](crate::VerifierBuilder::revocations) refuses such a token
/// from then on, with `401`, wherever it is remembered, and so no backend JWT is handed out for it either.
///
/// A token is named by its issuer and its `jti`, and not by its text, which may have more than one form: an
/// ECDSA signature does. What is revoked is forgotten an hour after the tokens are expired.
///
/// ```
/// use std::time::Duration;
/// use tower_backend_jwt::{Revocations, Verifier};
/// use tower_jwks::{Clock, SystemClock};
/// # use tower_backend_jwt::Issuer;
/// # use tower_jwks::{Algorithm, JwkSet, SigningKey};
/// # let provider = SigningKey::generate(Algorithm::ES256)?;
/// # let issuer = Issuer::from_jwks("https://idp.example.com", JwkSet::new([(&provider).into()])?)
/// #     .audience("orders")
/// #     .build()?;
///
/// let revocations = Revocations::default();
/// let verifier = Verifier::builder().issuer(issuer).revocations(revocations.clone()).build()?;
///
/// // Later: one token, and all that alice has been given so far.
/// let now = SystemClock.now();
/// let hour = Duration::from_secs(3600);
/// revocations.revoke_id("https://idp.example.com", "69558555", now.saturating_add(hour))?;
/// revocations.revoke_subject("https://idp.example.com", "alice", now, hour)?;
/// assert_eq!(revocations.len(), 2);
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Revocations(Arc<Shared>);

struct Shared {
    issuers: RwLock<HashMap<Box<str>, Revoked>>,
    /// How many there are, to be asked without the lock: none, as a rule.
    len: AtomicUsize,
    most: usize,
    clock: Box<dyn Clock>,
}

/// Of one issuer.
#[derive(Default)]
struct Revoked {
    /// When the token of this `jti` expires.
    ids: HashMap<Box<str>, UnixTime>,
    subjects: HashMap<Box<str>, Subject>,
}

/// All tokens about one that were issued before a time.
struct Subject {
    issued_before: UnixTime,
    expired_by: UnixTime,
}

/// For how long a revocation is kept when its tokens are expired, since a verifier's leeway, and its clock,
/// let them live on for a while.
const KEPT_LONGER: Duration = Duration::from_secs(3600);

impl Revocations {
    /// Room for so many.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self::with_clock(most, SystemClock)
    }

    /// Room for so many, which are forgotten by this clock.
    pub fn with_clock(most: usize, clock: impl Clock) -> Self {
        Self(Arc::new(Shared {
            issuers: RwLock::default(),
            len: AtomicUsize::new(0),
            most,
            clock: Box::new(clock),
        }))
    }

    /// Revokes a token that is at hand, by its `jti`.
    ///
    /// # Errors
    ///
    /// It has none, or as [`revoke_id`](Self::revoke_id).
    pub fn revoke(&self, token: &VerifiedToken) -> Result<(), ConfigError> {
        let jti = token.jti().ok_or_else(|| {
            ConfigError::new(
                "jti",
                "is not in the token, which cannot be named without it",
            )
        })?;
        self.revoke_id(token.issuer(), jti, token.expires_at())
    }

    /// Revokes the token of this issuer with this `jti`, which expires at this time.
    ///
    /// # Errors
    ///
    /// There are as many as there is room for. Nothing is forgotten for it.
    pub fn revoke_id(
        &self,
        issuer: &str,
        jti: &str,
        expires_at: UnixTime,
    ) -> Result<(), ConfigError> {
        self.change(issuer, |revoked, has_room| {
            if let Some(known) = revoked.ids.get_mut(jti) {
                *known = expires_at.max(*known);
                return true;
            }
            if has_room {
                revoked.ids.insert(jti.into(), expires_at);
            }
            has_room
        })
    }

    /// Revokes all tokens of this issuer about this subject that were issued before this time, or do not say
    /// when they were; `token_life` is the longest that one of them lives.
    ///
    /// Times are whole seconds: name the next one to revoke what was issued in this one as well.
    ///
    /// # Errors
    ///
    /// As [`revoke_id`](Self::revoke_id).
    pub fn revoke_subject(
        &self,
        issuer: &str,
        subject: &str,
        issued_before: UnixTime,
        token_life: Duration,
    ) -> Result<(), ConfigError> {
        let expired_by = issued_before.saturating_add(token_life);
        self.change(issuer, |revoked, has_room| {
            if let Some(known) = revoked.subjects.get_mut(subject) {
                known.issued_before = issued_before.max(known.issued_before);
                known.expired_by = expired_by.max(known.expired_by);
                return true;
            }
            if has_room {
                let entry = Subject {
                    issued_before,
                    expired_by,
                };
                revoked.subjects.insert(subject.into(), entry);
            }
            has_room
        })
    }

    /// How many are revoked.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len.load(Ordering::Acquire)
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn has(&self, token: &VerifiedToken) -> bool {
        if self.is_empty() {
            return false;
        }
        let issuers = self.read();
        let Some(revoked) = issuers.get(token.issuer()) else {
            return false;
        };
        let by_id = || token.jti().is_some_and(|jti| revoked.ids.contains_key(jti));
        let by_subject = || {
            let entry = token
                .subject()
                .and_then(|subject| revoked.subjects.get(subject));
            entry.is_some_and(|Subject { issued_before, .. }| {
                token
                    .issued_at()
                    .is_none_or(|issued| issued < *issued_before)
            })
        };
        by_id() || by_subject()
    }

    /// Makes a change to what is revoked of an issuer, that is told whether there is room for one more, and
    /// tells whether it was made.
    fn change(
        &self,
        issuer: &str,
        change: impl FnOnce(&mut Revoked, bool) -> bool,
    ) -> Result<(), ConfigError> {
        let mut issuers = self.write();
        let count = |issuers: &HashMap<_, Revoked>| issuers.values().map(Revoked::len).sum();
        let mut len: usize = count(&issuers);
        if len >= self.0.most {
            let now = self.0.clock.now();
            issuers.retain(|_, revoked| revoked.forget(now));
            len = count(&issuers);
        }
        let revoked = issuers.entry(issuer.into()).or_default();
        let changed = change(revoked, len < self.0.most);
        issuers.retain(|_, revoked| revoked.len() > 0);
        self.0.len.store(count(&issuers), Ordering::Release);
        if changed {
            return Ok(());
        }
        Err(ConfigError::new(
            "revocations",
            format!("are {len}, and there is room for no more"),
        ))
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<Box<str>, Revoked>> {
        let issuers = self.0.issuers.read();
        issuers.unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Box<str>, Revoked>> {
        let issuers = self.0.issuers.write();
        issuers.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Revoked {
    fn len(&self) -> usize {
        self.ids.len() + self.subjects.len()
    }

    /// Forgets those whose tokens are expired; whether any are left.
    fn forget(&mut self, now: UnixTime) -> bool {
        let lives = |expires_at: UnixTime| now < expires_at.saturating_add(KEPT_LONGER);
        self.ids.retain(|_, expires_at| lives(*expires_at));
        self.subjects.retain(|_, entry| lives(entry.expired_by));
        self.len() > 0
    }
}

/// Room for 100,000.
impl Default for Revocations {
    fn default() -> Self {
        Self::new(100_000)
    }
}

/// How many: who they are about is nobody's business.
impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
