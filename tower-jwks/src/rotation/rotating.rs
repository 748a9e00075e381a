//! Keys that rotate, as requests see them.

use super::{
    fault::Faults, policy::RotationPolicy, snapshot::Snapshot, source::Source, state::State,
    status::KeyRingStatus, view::Idle,
};
use crate::{
    Algorithm, Clock, KeyEncryptionKey, KeysUnavailable, SigningKey, UnixTime,
    published::PublishedKeys,
};
use arc_swap::ArcSwap;
use std::{fmt, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// A ring that rotates: what requests ask, and what the task and the calls of an operator share.
pub(crate) struct Rotating {
    pub(super) source: Source,
    pub(crate) policy: RotationPolicy,
    pub(super) kek: Option<KeyEncryptionKey>,
    pub(super) clock: Arc<dyn Clock>,
    pub(crate) algorithm: Algorithm,
    pub(super) current: ArcSwap<Snapshot>,
    /// One change of this process at a time: the others would only make keys in vain.
    pub(super) changing: tokio::sync::Mutex<()>,
    /// Something has happened that the task should not sleep over.
    pub(super) changed: Notify,
    pub(super) faults: Faults,
}

impl Rotating {
    pub(super) fn new(
        source: Source,
        policy: RotationPolicy,
        kek: Option<KeyEncryptionKey>,
        clock: Arc<dyn Clock>,
        first: Snapshot,
    ) -> Self {
        Self {
            source,
            policy,
            kek,
            clock,
            algorithm: first.keys.algorithm,
            current: ArcSwap::from_pointee(first),
            changing: tokio::sync::Mutex::new(()),
            changed: Notify::new(),
            faults: Faults::default(),
        }
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(crate) fn makes_keys(&self) -> bool {
        self.source.store().is_ok()
    }

    pub(crate) fn signing_key(&self) -> Result<Arc<SigningKey>, KeysUnavailable> {
        self.with_signing_key(Arc::clone)
    }

    pub(crate) fn with_signing_key<T>(
        &self,
        look: impl FnOnce(&Arc<SigningKey>) -> T,
    ) -> Result<T, KeysUnavailable> {
        // Before the time: of a process that is held up in between, the keys are the older ones, which sign less.
        let current = self.current.load();
        let now = self.now();
        match current.signer(&self.policy, now) {
            Ok(key) => Ok(look(key)),
            Err(idle) => Err(self.unavailable(idle, current.state(), now)),
        }
    }

    pub(crate) fn published(&self) -> Result<Arc<PublishedKeys>, KeysUnavailable> {
        let current = self.current.load();
        let now = self.now();
        match current.published(now) {
            Ok(keys) => Ok(Arc::clone(keys)),
            Err(idle) => Err(self.unavailable(idle, current.state(), now)),
        }
    }

    fn unavailable(&self, idle: Idle, state: &State, now: UnixTime) -> KeysUnavailable {
        let scheduled = state.scheduled(now).and_then(|key| key.activates_at);
        let wait = match (idle, scheduled) {
            (Idle::NoKey, Some(at)) => at.saturating_since(now),
            _ => self.policy.poll,
        };
        let wait = wait.max(Duration::from_secs(1));
        let error = match self.fault() {
            Some(fault) => KeysUnavailable::new(format!("{idle}: {}", fault.error)),
            None => KeysUnavailable::new(idle.to_string()),
        };
        error.with_retry_after(wait)
    }

    pub(crate) fn status(&self) -> KeyRingStatus {
        KeyRingStatus::of_rotating(self)
    }
}

impl fmt::Debug for Rotating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = self.current.load();
        f.debug_struct("Rotating")
            .field("algorithm", &self.algorithm)
            .field("epoch", &current.state().epoch)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
