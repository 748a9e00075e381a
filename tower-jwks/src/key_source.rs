//! Where an issuer's keys come from when a token does.

use crate::{Algorithm, KeySet, KeysStatus, KeysUnavailable};
use std::{
    fmt,
    future::{self, Future},
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
};

/// Where the keys of an issuer come from.
///
/// A cheap snapshot, asked for each token: whoever fetches or reloads keys does so elsewhere and
/// swaps what this returns. Only [`keys`](Self::keys) has to be written; the rest is for sources
/// whose keys change.
pub trait KeySource: Send + Sync + 'static {
    /// The keys now. The same `Arc` for as long as they are the same: what was verified by one set is
    /// remembered until there is another.
    ///
    /// # Errors
    ///
    /// There are none yet, or none that may still be trusted: the caller is answered `503`.
    fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable>;

    /// Whether these are the keys now: what [`keys`](Self::keys) returns, without taking hold of it.
    ///
    /// # Errors
    ///
    /// As [`keys`](Self::keys).
    fn are_current(&self, keys: &Weak<KeySet>) -> Result<bool, KeysUnavailable> {
        Ok(Arc::as_ptr(&self.keys()?) == keys.as_ptr())
    }

    /// Asks for a key that is not among [`keys`](Self::keys), and says what to wait for before
    /// looking once more. `None`: nothing will come of it now.
    ///
    /// Anyone who can send a token can cause this call, with any `kid`: it has to be cheap, and
    /// bounded in whatever it sets off. Dropping what it returns must not stop that.
    fn refresh_for(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Waiting> {
        let _ = (kid, algorithm);
        None
    }

    /// Ends when there are keys. Unless it is overridden, at once: right for a source whose
    /// [`keys`](Self::keys) never fails.
    fn ready(&self) -> Waiting {
        Waiting::new(future::ready(()))
    }

    /// What is known of the keys, for an operator to look at.
    fn status(&self) -> KeysStatus {
        match self.keys() {
            Ok(keys) => KeysStatus::of(&keys),
            Err(_) => KeysStatus::default(),
        }
    }
}

/// A handle that is kept elsewhere too, by whoever fetches or reloads the keys.
impl<T: KeySource + ?Sized> KeySource for Arc<T> {
    fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable> {
        (**self).keys()
    }

    fn are_current(&self, keys: &Weak<KeySet>) -> Result<bool, KeysUnavailable> {
        (**self).are_current(keys)
    }

    fn refresh_for(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Waiting> {
        (**self).refresh_for(kid, algorithm)
    }

    fn ready(&self) -> Waiting {
        (**self).ready()
    }

    fn status(&self) -> KeysStatus {
        (**self).status()
    }
}

/// Something a [`KeySource`] lets others wait for. Ends by itself, in a bounded time unless the
/// method that returned it says otherwise.
#[must_use = "a future does nothing unless it is polled"]
pub struct Waiting(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Waiting {
    /// Waits for this.
    pub fn new(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(future))
    }
}

impl Future for Waiting {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

/// A [`KeySource`] whose keys stay as they are.
#[derive(Clone, Debug)]
pub struct FixedKeys(Arc<KeySet>);

impl KeySource for FixedKeys {
    fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable> {
        Ok(Arc::clone(&self.0))
    }

    fn are_current(&self, keys: &Weak<KeySet>) -> Result<bool, KeysUnavailable> {
        Ok(Arc::as_ptr(&self.0) == keys.as_ptr())
    }
}

impl From<Arc<KeySet>> for FixedKeys {
    fn from(keys: Arc<KeySet>) -> Self {
        Self(keys)
    }
}

impl From<KeySet> for FixedKeys {
    fn from(keys: KeySet) -> Self {
        Self(Arc::new(keys))
    }
}
