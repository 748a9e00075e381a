//! Changing what is in the store: what a ring does by itself, and what it is told to do.

use super::{
    document::{Document, RingKey},
    fault::Attempt,
    new_key::NewKey,
    reading::run,
    rotating::Rotating,
    schedule::Cause,
    snapshot::Snapshot,
    state::{Entry, State},
};
use crate::{KeysUnavailable, Swap, UnixTime};
use std::sync::Arc;
use tokio::sync::Notify;
use zeroize::Zeroizing;

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
    pub(crate) async fn refresh(&self) -> Result<(), KeysUnavailable> {
        let _one = self.changing.lock().await;
        self.read().await?;
        self.advance().await
    }

    pub(crate) async fn rotate(&self) -> Result<UnixTime, KeysUnavailable> {
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

    pub(crate) async fn revoke(&self, kid: &str) -> Result<(), KeysUnavailable> {
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

    pub(crate) async fn import(&self, pem: &[u8]) -> Result<String, KeysUnavailable> {
        let algorithm = self.algorithm;
        let pem = Zeroizing::new(pem.to_vec());
        let key = run(move || NewKey::from_pem(algorithm, &pem)).await??;
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
        run(move || RingKey::new(NewKey::generate(algorithm)?, &ring, kek.as_ref())).await?
    }
}

fn no_reserve() -> KeysUnavailable {
    KeysUnavailable::new("there is no key that could sign next")
}
