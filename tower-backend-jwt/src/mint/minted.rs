//! A backend JWT that was signed.

use http::HeaderValue;
use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};
use tower_jwks::{SigningKey, UnixTime};

/// A backend JWT, and how long it may be handed out.
pub(super) struct Minted {
    pub(super) value: HeaderValue,
    /// Weak: a key that is retired is not used any more, whatever it signed. aws-lc-rs' keys leave the memory then; ring's
    /// stand in it until this does.
    pub(super) key: Weak<SigningKey>,
    pub(super) issued_at: UnixTime,
    /// From then on a new one is made in the background, while this one is handed out.
    pub(super) renew_at: UnixTime,
    /// Until then there is enough life left in it.
    pub(super) usable_until: UnixTime,
    /// Whether a new one is being made, or could not be made.
    pub(super) renewing: AtomicBool,
}

impl Minted {
    /// Whether it may be handed out now, while its key is the one that signs.
    pub(super) fn is_usable(&self, now: UnixTime) -> bool {
        // A clock that went back makes a new one rather than one issued in the future.
        self.issued_at <= now && now < self.usable_until
    }

    /// Whether it is of this key.
    pub(super) fn is_of(&self, key: &Arc<SigningKey>) -> bool {
        self.key.as_ptr() == Arc::as_ptr(key)
    }

    /// Whether who asks is to have a new one made. Only one is told so, and nothing else follows from it:
    /// hence no order of memory.
    pub(super) fn begin_renewal(&self, now: UnixTime) -> bool {
        self.renew_at <= now && !self.renewing.swap(true, Ordering::Relaxed)
    }

    /// It was not begun after all: the next who asks is told.
    pub(super) fn put_off_renewal(&self) {
        self.renewing.store(false, Ordering::Relaxed);
    }
}
