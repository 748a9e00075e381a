//! Reading the store, and changing what is in it: what a ring does by itself, and what it is told to do.

use super::{
    document::{Document, NewKey, RingKey},
    events,
    rotating::{Attempt, Fault, Rotating},
    schedule::Cause,
    snapshot::Snapshot,
    source::{AnyStore, Source, limited},
    state::{Entry, State},
};
use crate::{Algorithm, KeysUnavailable, RsaSize, SigningKey, Swap, UnixTime};
use std::sync::Arc;
use tokio::{sync::Notify, task::spawn_blocking};

/// How often a change is tried again that others were faster with.
const ATTEMPTS: usize = 16;

/// What is to be changed of a state that was read, at this time; false if nothing is.
type Change<'a> = &'a (dyn Fn(&mut State, UnixTime) -> Result<bool, KeysUnavailable> + Send + Sync);

/// Has the task look at the store when a call is over, also if it was dropped, or failed, when the store had
/// written already.
struct LookAgain<'a>(&'a Notify);

impl Drop for LookAgain<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl Rotating {
    /// Reads the store and does what is due.
    pub(super) async fn refresh(&self) -> Result<(), KeysUnavailable> {
        let _one = self.changing.lock().await;
        self.read().await?;
        self.advance().await
    }

    pub(super) async fn rotate(&self) -> Result<UnixTime, KeysUnavailable> {
        self.source.store()?;
        let _then = LookAgain(&self.changed);
        let _one = self.changing.lock().await;
        self.read().await?;
        self.advance().await?;
        self.change(None, &|state, now| Ok(state.rotate(now, Cause::Due)))
            .await?;
        let current = self.current.load_full();
        let state = current.state();
        let now = self.now();
        // It is decided on, or was its turn at once.
        let next = state.scheduled(now).and_then(|key| key.activates_at);
        let active = state
            .active(now)
            .and_then(|place| state.keys[place].activates_at);
        next.or(active).ok_or_else(no_reserve)
    }

    pub(super) async fn revoke(&self, kid: &str) -> Result<(), KeysUnavailable> {
        let _then = LookAgain(&self.changed);
        let _one = self.changing.lock().await;
        self.read().await?;
        let policy = &self.policy;
        self.change(None, &|state, now| {
            if state.was_revoked(kid) {
                return Ok(false);
            }
            if !state.revoke(kid, now) {
                return Err(KeysUnavailable::new(format!("the ring has no key {kid:?}")));
            }
            state.advance(now, policy);
            Ok(true)
        })
        .await?;
        // The key that takes over may have been made just now. If that fails, the task goes on trying.
        let _ = self.advance().await;
        Ok(())
    }

    pub(super) async fn import(&self, pem: &[u8]) -> Result<String, KeysUnavailable> {
        let wrong = |cause: crate::ConfigError| KeysUnavailable::new(cause.to_string());
        let key = NewKey::from_pem(self.algorithm, pem).map_err(wrong)?;
        let kid = key.signing.kid().to_owned();
        let not_after = key.signing.not_after();
        let _then = LookAgain(&self.changed);
        let _one = self.changing.lock().await;
        self.read().await?;
        let current = self.current.load_full();
        let key = RingKey::new(key, &current.keys.ring, self.kek.as_ref())?;
        self.change(Some(&key), &|state, now| {
            let refused = |why: &str| Err(KeysUnavailable::new(format!("the key {kid:?} {why}")));
            if state.place(&kid).is_some() {
                return refused("is in the ring");
            }
            if state.was_revoked(&kid) {
                return refused("was revoked");
            }
            if state.is_full() {
                return refused("has no place: there are 32 others");
            }
            let entry = Entry::new(kid.as_str().into(), not_after, now);
            let promise = state.promise.and(&self.policy.promise());
            let matures_at = now.saturating_add(promise.announcement());
            if !entry.lasts_from(matures_at, &promise) {
                return refused("ends before it could be announced, and the next one after it");
            }
            state.add(entry, now);
            Ok(true)
        })
        .await?;
        let _ = self.advance().await;
        Ok(kid)
    }

    /// Does what is due, where that is the ring's to do.
    pub(super) async fn advance(&self) -> Result<(), KeysUnavailable> {
        if self.source.store().is_err() {
            return Ok(());
        }
        let policy = &self.policy;
        self.change(None, &|state, now| Ok(state.advance(now, policy)))
            .await
    }

    /// Reads what the store has, and takes it.
    pub(super) async fn read(&self) -> Result<(), KeysUnavailable> {
        let asked_at = self.now();
        let read = self.read_at(asked_at).await;
        self.came_of_it(Attempt::Read, &read);
        read
    }

    async fn read_at(&self, asked_at: UnixTime) -> Result<(), KeysUnavailable> {
        let before = self.current.load_full();
        let document = match &self.source {
            Source::Store(store) => self.read_store(&**store, &before).await?,
            Source::Files(files) => {
                let (files, promise) = (Arc::clone(files), self.policy.promise());
                let (state, keys) = (before.state().clone(), before.keys.clone());
                let read = move || files.read(Some((&state, &keys)), promise, asked_at);
                limited("read", run(read)).await??
            }
        };
        if document.state.epoch == before.state().epoch {
            if document.state != *before.state() {
                return Err(KeysUnavailable::new(
                    "the ring in the store is another than it was, and of the same epoch",
                ));
            }
            self.install(before.confirmed(asked_at));
            return Ok(());
        }
        before
            .view
            .may_become(&document.state)
            .map_err(|older| KeysUnavailable::new(older.to_string()))?;
        // Of a file that lists them, an operator may take one off again.
        if self.source.store().is_ok() {
            let keys = &mut document.state.keys.iter();
            if let Some(key) = keys.find(|key| before.state().was_revoked(&key.kid)) {
                return Err(KeysUnavailable::new(format!(
                    "the ring in the store has a key that was revoked, {:?}",
                    key.kid
                )));
            }
        }
        self.take(document, asked_at);
        Ok(())
    }

    async fn read_store(
        &self,
        store: &dyn AnyStore,
        before: &Snapshot,
    ) -> Result<Document, KeysUnavailable> {
        let Some(stored) = store.load().await? else {
            return Err(KeysUnavailable::new("the store has no ring any more"));
        };
        let kek = self.kek.clone();
        let known = before.keys.clone();
        let read = move || Document::read(&stored, kek.as_ref(), Some(&known));
        let document = run(read).await?.map_err(|cause| what_is_there(&cause))?;
        if document.keys.algorithm != self.algorithm {
            return Err(KeysUnavailable::new(
                "the ring in the store has another algorithm",
            ));
        }
        Ok(document)
    }

    /// Changes what was read, if nobody else has; else reads again, and changes that.
    async fn change(
        &self,
        key: Option<&RingKey>,
        change: Change<'_>,
    ) -> Result<(), KeysUnavailable> {
        let store = self.source.store()?;
        // Made once, however often others are faster.
        let mut spare: Option<RingKey> = None;
        for _ in 0..ATTEMPTS {
            let before = self.current.load_full();
            let now = self.now();
            let mut state = before.state().clone();
            let mut changed = change(&mut state, now)?;
            let mut keys = before.keys.of(&state, key);
            if state.lacks_reserve() {
                if spare.is_none() {
                    match self.generate(&before).await {
                        Ok(reserve) => spare = Some(reserve),
                        // To revoke a key, for one, does not wait for that.
                        Err(_) if changed => {}
                        Err(error) => return self.failed_to_write(error),
                    }
                }
                if let Some(reserve) = &spare {
                    state.add(Entry::new(reserve.signing.kid().into(), None, now), now);
                    keys = keys.of(&state, Some(reserve));
                    changed = true;
                }
            }
            if !changed {
                self.came_of_it(Attempt::Write, &Ok(()));
                return Ok(());
            }
            let read = before.state().epoch;
            state.epoch = read.saturating_add(1);
            let document = Document { state, keys };
            let asked_at = self.now();
            let written = document.write(self.kek.as_ref())?;
            let swap = store.compare_and_swap(Some(read), written).await;
            match swap {
                Ok(Swap::Done) => {
                    self.came_of_it(Attempt::Write, &Ok(()));
                    self.take(document, asked_at);
                    // What it leads to may be due as well.
                    self.changed.notify_one();
                    return Ok(());
                }
                Ok(Swap::Conflict) => self.read().await?,
                Err(error) => return self.failed_to_write(error),
            }
        }
        self.failed_to_write(KeysUnavailable::new(format!(
            "others have changed the ring {ATTEMPTS} times in a row meanwhile"
        )))
    }

    fn failed_to_write(&self, error: KeysUnavailable) -> Result<(), KeysUnavailable> {
        let written = Err(error);
        self.came_of_it(Attempt::Write, &written);
        written
    }

    async fn generate(&self, before: &Snapshot) -> Result<RingKey, KeysUnavailable> {
        let algorithm = self.algorithm;
        let ring = Arc::clone(&before.keys.ring);
        let kek = self.kek.clone();
        run(move || NewKey::generate(algorithm)?.into_ring(&ring, kek.as_ref())).await?
    }

    fn take(&self, document: Document, asked_at: UnixTime) {
        let before = self.current.load_full();
        let snapshot = Snapshot::new(document, asked_at, &self.policy, Some(&before));
        events::changed(before.state(), snapshot.state());
        self.install(snapshot);
    }

    fn install(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
    }

    /// A store that can be read and not written is at fault until it was written, or need not be.
    pub(super) fn came_of_it(&self, attempt: Attempt, outcome: &Result<(), KeysUnavailable>) {
        let mut fault = self.fault();
        match outcome {
            Ok(()) => {
                if let Some(fault) = fault.take_if(|fault| fault.attempt == attempt) {
                    events::recovered(fault.times);
                }
            }
            Err(error) => {
                let (since, times) = match &*fault {
                    Some(fault) => (fault.since, fault.times.saturating_add(1)),
                    None => (self.now(), 1),
                };
                events::failed(error, times);
                *fault = Some(Fault {
                    attempt,
                    error: error.clone(),
                    since,
                    times,
                });
            }
        }
    }
}

impl NewKey {
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, KeysUnavailable> {
        let made = SigningKey::generate_with_der(algorithm, RsaSize::default());
        let (signing, der) = made.map_err(|cause| KeysUnavailable::new(cause.to_string()))?;
        Ok(Self { signing, der })
    }

    pub(super) fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, crate::ConfigError> {
        let (signing, der) = SigningKey::from_pem_with_der(algorithm, pem)?;
        Ok(Self { signing, der })
    }

    pub(super) fn into_ring(
        self,
        ring: &str,
        kek: Option<&crate::KeyEncryptionKey>,
    ) -> Result<RingKey, KeysUnavailable> {
        RingKey::new(self, ring, kek)
    }
}

/// An error of a document, which does not say whose it is.
pub(super) fn what_is_there(cause: &KeysUnavailable) -> KeysUnavailable {
    KeysUnavailable::new(format!("what the store has {cause}"))
}

fn no_reserve() -> KeysUnavailable {
    KeysUnavailable::new("there is no key that could sign next")
}

/// Off the workers of the runtime: an RSA key takes a good part of a second to make.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, KeysUnavailable> {
    spawn_blocking(work)
        .await
        .map_err(|_| KeysUnavailable::new("the runtime is shutting down"))
}
