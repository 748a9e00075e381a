//! The store that the replicas share: every document it ever had, and what is promised of a write.

use super::{
    promises::Broken,
    scenario::Tick,
    timeline::{Who, described},
    token::{Kid, number_of},
    world::World,
};
use crate::{
    UnixTime,
    rotation::{
        policy::{MOST_KEYS, Promise},
        rule::{self, Rule},
        state::{Entry, State},
    },
};
use std::{rc::Rc, time::Duration};

pub(super) struct Store {
    /// In the order of their writing.
    documents: Vec<Rc<State>>,
    /// How many epochs back a restored document is, and until when it is there.
    restored: Option<(u64, Tick)>,
    pub(super) revocations: Vec<Revocation>,
    /// All kids that ever were in a document.
    seen: Vec<Kid>,
}

/// When a key was revoked, for all who read the store after that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Revocation {
    pub(super) kid: Kid,
    pub(super) at: Tick,
    pub(super) promise: Promise,
}

impl Store {
    pub(super) const fn new() -> Self {
        Self {
            documents: Vec::new(),
            restored: None,
            revocations: Vec::new(),
            seen: Vec::new(),
        }
    }

    pub(super) fn last(&self) -> Option<&Rc<State>> {
        self.documents.last()
    }

    pub(super) const fn restore(&mut self, epochs: u64, until: Tick) {
        self.restored = Some((epochs, until));
    }

    pub(super) fn revocation(&self, kid: Kid) -> Option<&Revocation> {
        self.revocations
            .iter()
            .find(|revocation| revocation.kid == kid)
    }

    pub(super) fn has_seen(&self, kid: Kid) -> bool {
        self.seen.contains(&kid)
    }

    /// How many epochs back the document is that it has now, if it is not the last one.
    pub(super) fn restored(&self, now: Tick) -> Option<u64> {
        let (epochs, until) = self.restored?;
        (now < until && (epochs as usize) < self.documents.len()).then_some(epochs)
    }

    /// What one reads who has already seen an epoch. None if it cannot be read.
    ///
    /// An older document is only shown to those who have seen a newer one. Who remembers nothing cannot tell,
    /// and no rule helps them: whoever restores an older document is to stop all replicas first.
    pub(super) fn read(&self, seen: Option<u64>, now: Tick) -> Option<Option<Rc<State>>> {
        let Some(epochs) = self.restored(now) else {
            return Some(self.last().cloned());
        };
        let document = &self.documents[self.documents.len() - 1 - epochs as usize];
        seen.is_some_and(|seen| document.epoch < seen)
            .then(|| Some(Rc::clone(document)))
    }
}

impl World<'_> {
    /// Writes a document over the one that was read. False if it is not there any more.
    pub(super) fn swap(&mut self, writer: usize, read: Option<u64>, next: State) -> bool {
        let last = self.store.last().cloned();
        let same = last.as_ref().map(|state| state.epoch) == read;
        if !same && rule::holds(Rule::WriteOnlyOverWhatWasRead) {
            self.note(Who::Replica(writer), || {
                format!(
                    "does not write epoch {}: another has written since",
                    next.epoch
                )
            });
            return false;
        }
        self.note(Who::Replica(writer), || described(&next, last.as_deref()));
        self.check_write(writer, last.as_deref(), &next);
        self.remember(last.as_deref(), &next);
        self.store.documents.push(Rc::new(next));
        true
    }

    fn remember(&mut self, last: Option<&State>, next: &State) {
        for key in &next.keys {
            let kid = number_of(&key.kid);
            if !self.store.seen.contains(&kid) {
                self.store.seen.push(kid);
            }
        }
        let known = last.map_or(0, |last| last.revoked.len());
        for revoked in next.revoked.iter().skip(known) {
            self.store.revocations.push(Revocation {
                kid: number_of(&revoked.kid),
                at: self.now,
                promise: next.promise,
            });
        }
    }

    fn check_write(&mut self, writer: usize, last: Option<&State>, next: &State) {
        let epoch = last.map_or(0, |last| last.epoch);
        if next.epoch != epoch + 1 {
            self.fail(Broken::OneEpoch, || {
                format!("replica {writer} writes epoch {} over {epoch}", next.epoch)
            });
        }
        if next.keys.len() > MOST_KEYS {
            self.fail(Broken::StaysInBounds, || {
                format!("the ring has {} keys", next.keys.len())
            });
        }
        let Some(last) = last else { return };
        if next.promise.and(&last.promise) != next.promise {
            self.fail(Broken::StaysInBounds, || "a promise gets shorter".into());
        }
        for key in &next.keys {
            let changed = match last.place(&key.kid) {
                Some(place) => changes(&last.keys[place], key),
                None if self.store.seen.contains(&number_of(&key.kid)) => Some("comes back"),
                None => None,
            };
            if let Some(what) = changed {
                self.fail(Broken::DecidedOnce, || {
                    format!("by replica {writer}, {} {what}", key.kid)
                });
            }
        }
    }

    /// At the end of a run, long after the last thing went wrong.
    pub(super) fn check_that_it_is_well(&mut self) {
        for replica in 0..self.replicas.len() {
            let now = self.clock(self.replicas[replica].ahead);
            if let Err(idle) = self.replicas[replica].signer(now) {
                self.fail(Broken::RecoversInTime, || {
                    format!("replica {replica} does not sign: {idle}")
                });
            }
        }
        let Some(last) = self.store.last().cloned() else {
            return;
        };
        if last.lacks_reserve() {
            self.fail(Broken::RecoversInTime, || "there is no reserve".into());
        }
        let slack = Duration::from_secs(4 * self.scenario.times.poll + 8);
        let now = self.clock(0);
        let interval = self
            .replicas
            .iter()
            .map(|replica| replica.policy.interval)
            .min();
        let turn = interval.unwrap_or_default() + last.promise.announcement() + slack;
        if let Some(active) = last.active(now).map(|place| &last.keys[place])
            && active
                .activates_at
                .is_some_and(|at| at.saturating_add(turn) < now)
        {
            self.fail(Broken::RecoversInTime, || {
                format!("{} signs for too long", active.kid)
            });
        }
        for key in &last.keys {
            if key
                .gone_at(&last.promise)
                .is_some_and(|at| at.saturating_add(slack) < now)
            {
                self.fail(Broken::RecoversInTime, || {
                    format!("{} is still there", key.kid)
                });
            }
        }
    }
}

/// What of a key is decided otherwise than it was.
fn changes(before: &Entry, after: &Entry) -> Option<&'static str> {
    fn again(before: Option<UnixTime>, after: Option<UnixTime>) -> bool {
        before.is_some() && before != after
    }
    if before.created_at != after.created_at || before.not_after != after.not_after {
        Some("has another creation or end")
    } else if again(before.published_at, after.published_at) {
        Some("is published at another time")
    } else if again(before.activates_at, after.activates_at) {
        Some("signs from another time")
    } else if again(before.retired_at, after.retired_at) {
        Some("signs until another time")
    } else {
        None
    }
}
