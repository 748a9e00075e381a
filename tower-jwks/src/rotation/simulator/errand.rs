//! Why a replica reads the store, and what it makes of the state that it finds.

use super::{
    call::Call,
    scenario::Which,
    token::{kid_of, number_of},
    world::World,
};
use crate::{
    UnixTime,
    rotation::{
        schedule::Cause,
        state::{Entry, KeyState, State},
    },
};
use std::time::Duration;

#[derive(Clone)]
pub(super) enum Errand {
    Poll,
    Rotate,
    Revoke(Which),
    /// Once it is known which key that is.
    RevokeKid(Box<str>),
    Import(u64),
    ImportKey(Entry),
}

impl World<'_> {
    /// What the call makes of the state that was read. None if that is nothing.
    pub(super) fn decide(
        &mut self,
        mut call: Call,
        next: &mut State,
        now: UnixTime,
    ) -> Option<Call> {
        let policy = self.replicas[call.replica].policy.clone();
        if let Errand::Revoke(which) = call.errand {
            let Some(kid) = self.which(which, next, now) else {
                self.leave(&call);
                return None;
            };
            call.errand = Errand::RevokeKid(kid);
        }
        if let Errand::Import(ends) = call.errand {
            let end = now.saturating_add(Duration::from_secs(ends));
            call.errand = Errand::ImportKey(Entry::new(self.new_kid(), Some(end), now));
        }
        let mut changed = match &call.errand {
            Errand::Poll | Errand::Revoke(_) | Errand::Import(_) => next.advance(now, &policy),
            Errand::Rotate => next.rotate(now, Cause::Due),
            Errand::RevokeKid(kid) => {
                next.revoke(kid, now) && {
                    next.advance(now, &policy);
                    true
                }
            }
            Errand::ImportKey(key) => {
                // It may be there, if the answer to the first try was lost.
                let known = next.place(&key.kid).is_some() || next.was_revoked(&key.kid);
                let gone = self.store.has_seen(number_of(&key.kid));
                !known && !gone && !next.is_full() && {
                    next.add(key.clone(), now);
                    true
                }
            }
        };
        if next.lacks_reserve() {
            next.add(Entry::new(self.new_kid(), None, now), now);
            changed = true;
        }
        if !changed {
            self.leave(&call);
            return None;
        }
        Some(call)
    }

    fn which(&self, which: Which, state: &State, now: UnixTime) -> Option<Box<str>> {
        let wanted = match which {
            Which::Active => KeyState::Active,
            Which::Pending => KeyState::Pending,
            Which::Retiring => KeyState::Retiring,
        };
        let place = (0..state.keys.len()).find(|place| state.key_state(*place, now) == wanted)?;
        let kid = &state.keys[place].kid;
        (!state.was_revoked(kid)).then(|| kid.clone())
    }

    pub(super) fn new_kid(&mut self) -> Box<str> {
        let kid = kid_of(self.next_kid);
        self.next_kid += 1;
        kid
    }
}
