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
/// from then on, with `401`, wherever it is remembered, and so no backend JWT is handed out for it either. A request that
/// it let through before is finished.
///
/// A token is named by its issuer and its `jti`, and not by its text, which may have more than one form: an
/// ECDSA signature does. A subject is [the one](VerifiedToken::subject) that the verifier's issuer
/// [maps](crate::IssuerBuilder::map_claim) to `sub`.
///
/// What is revoked is forgotten an hour after the tokens are expired, as soon as something else is revoked. That goes by
/// the time that was named for it, which therefore must not be too early: a token that outlives it is taken again. And it
/// goes by the clock, which must not be set forward by hours, even for a moment. An
/// issuer or a subject that is not there is no error, and revokes nothing: names are compared byte for byte.
///
/// They are one process's: whoever runs several tells each, and tells it again when it has been started. A backend JWT
/// that has been handed out already is not called back, and lives on until its own end.
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
/// let (second, hour) = (Duration::from_secs(1), Duration::from_secs(3600));
/// let now = SystemClock.now();
/// revocations.revoke_id("https://idp.example.com", "69558555", now.saturating_add(hour))?;
/// revocations.revoke_subject("https://idp.example.com", "alice", now.saturating_add(second), hour)?;
/// assert_eq!(revocations.len(), 2);
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Revocations(Arc<Shared>);

struct Shared {
    table: RwLock<Table>,
    /// How many there are, to be asked without the lock: none, as a rule.
    len: AtomicUsize,
    most: usize,
    clock: Box<dyn Clock>,
}

#[derive(Default)]
struct Table {
    issuers: HashMap<Box<str>, Revoked>,
    len: usize,
    /// When the first may be forgotten.
    forget_at: Option<UnixTime>,
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

impl Revocations {
    /// For how long a revocation is kept when its tokens are expired, since a verifier's leeway lets them live on
    /// for a while.
    pub(crate) const KEPT_LONGER: Duration = Duration::from_secs(3600);

    /// Room for so many.
    #[must_use]
    pub fn new(entries: usize) -> Self {
        Self::with_clock(entries, SystemClock)
    }

    /// Room for so many, which are forgotten by this clock.
    pub fn with_clock(entries: usize, clock: impl Clock) -> Self {
        Self(Arc::new(Shared {
            table: RwLock::default(),
            len: AtomicUsize::new(0),
            most: entries,
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
    /// If its `exp` is not at hand, name the latest that it can be: now plus the longest life of the issuer's tokens.
    /// With a time that is too early the revocation is forgotten while the token lives, and it is taken again; with one
    /// that is too late it only takes up room for longer. Of two times for one token the later counts.
    ///
    /// The issuer is compared with `iss` byte for byte, a slash at its end included. One that no verifier trusts is no
    /// error, and revokes nothing.
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
        self.change(issuer, expires_at, |revoked, has_room| {
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
    /// when they were; `token_life` is the longest that one of them lives. One that is too short has them taken again
    /// when it is over, and both names are compared byte for byte, as with [`revoke_id`](Self::revoke_id).
    ///
    /// Times are whole seconds: name the next one to revoke what was issued in this one as well, and a later one
    /// by as much as the issuer's clock may be ahead of the one that says so.
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
        self.change(issuer, expired_by, |revoked, has_room| {
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
        let table = self.read();
        let Some(revoked) = table.issuers.get(token.issuer()) else {
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

    /// Makes a change to what is revoked of an issuer, until these tokens are expired. `change` is told whether
    /// there is room for one more, and tells whether it was made.
    fn change(
        &self,
        issuer: &str,
        expired_by: UnixTime,
        change: impl FnOnce(&mut Revoked, bool) -> bool,
    ) -> Result<(), ConfigError> {
        let now = self.0.clock.now();
        let mut table = self.write();
        if table.forget_at.is_some_and(|at| at <= now) {
            table.forget(now);
        }
        let has_room = table.len < self.0.most;
        let revoked = table.issuers.entry(issuer.into()).or_default();
        let before = revoked.len();
        let changed = change(revoked, has_room);
        let (added, is_none) = (revoked.len() - before, revoked.len() == 0);
        if is_none {
            table.issuers.remove(issuer);
        }
        table.len += added;
        if changed {
            let at = expired_by.saturating_add(Self::KEPT_LONGER);
            table.forget_at = Some(table.forget_at.map_or(at, |first| first.min(at)));
        }
        self.0.len.store(table.len, Ordering::Release);
        if changed {
            return Ok(());
        }
        Err(ConfigError::new(
            "revocations",
            format!("are {}, and there is room for no more", table.len),
        ))
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.0.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.0.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Forgets those whose tokens are expired. Requests wait meanwhile, so that it is not done again within a
    /// second.
    fn forget(&mut self, now: UnixTime) {
        let lives = |end: UnixTime| now < end.saturating_add(Revocations::KEPT_LONGER);
        self.issuers.retain(|_, revoked| {
            revoked.ids.retain(|_, end| lives(*end));
            revoked
                .subjects
                .retain(|_, subject| lives(subject.expired_by));
            revoked.len() > 0
        });
        self.len = self.issuers.values().map(Revoked::len).sum();
        let first = self.issuers.values().flat_map(Revoked::ends).min();
        let soonest = now.saturating_add(Duration::from_secs(1));
        self.forget_at = first.map(|end| end.saturating_add(Revocations::KEPT_LONGER).max(soonest));
    }
}

impl Revoked {
    fn len(&self) -> usize {
        self.ids.len() + self.subjects.len()
    }

    /// When the tokens are expired.
    fn ends(&self) -> impl Iterator<Item = UnixTime> {
        let subjects = self.subjects.values().map(|subject| subject.expired_by);
        self.ids.values().copied().chain(subjects)
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
