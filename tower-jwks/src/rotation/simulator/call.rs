//! What a replica asks of the store, in steps between which anything can happen: it reads, decides, and writes
//! over what it has read.

use super::{
    errand::Errand,
    scenario::Tick,
    world::{Event, World},
};
use crate::{
    UnixTime,
    rotation::state::{Entry, State},
};
use std::{rc::Rc, time::Duration};

/// How often one thing is tried.
const MOST_TRIES: u32 = 8;

/// How long a read or write takes, if it begins in time.
#[derive(Clone, Copy)]
pub(super) struct Slow {
    pub(super) begins_until: Tick,
    /// Until the store has it.
    pub(super) before: Tick,
    /// Until it is answered. None if nobody waits for the answer.
    pub(super) after: Option<Tick>,
}

/// Something that a replica is at.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) replica: usize,
    pub(super) life: u32,
    pub(super) errand: Errand,
    /// When it asked the store, by its clock.
    pub(super) asked_at: UnixTime,
    /// What it read, and is going to write over.
    pub(super) read: Option<u64>,
    pub(super) tries: u32,
}

pub(super) enum Loaded {
    Failed,
    Empty,
    State(Rc<State>),
}

pub(super) enum Written {
    Done(Box<State>),
    Conflict,
    /// It may be written, or not, or only later.
    Unknown,
}

impl World<'_> {
    pub(super) fn ask(&mut self, call: Call) {
        let place = call.replica;
        let (before, after) = match self.replicas[place].slow_read.take() {
            Some(slow) if self.now <= slow.begins_until => (slow.before, slow.after.unwrap_or(0)),
            _ => (self.small(place), self.small(place)),
        };
        let replica = &self.replicas[place];
        let starts = self.now.max(replica.frozen_until);
        let asked_at = match starts == self.now {
            true => self.clock(replica.ahead),
            // It is not asked before the process goes on.
            false => return self.push(starts, Event::Loaded(call, Loaded::Failed)),
        };
        self.push(
            starts + before,
            Event::Read(Call { asked_at, ..call }, after),
        );
    }

    pub(super) fn read(&mut self, call: Call, after: Tick) {
        let replica = &self.replicas[call.replica];
        let seen = replica.view.as_ref().map(|view| view.state.epoch);
        let loaded = match replica.cut_off_until > self.now {
            true => Loaded::Failed,
            false => match self.store.read(seen, self.now) {
                None => Loaded::Failed,
                Some(None) => Loaded::Empty,
                Some(Some(state)) => Loaded::State(state),
            },
        };
        self.push(self.now + after, Event::Loaded(call, loaded));
    }

    /// Whether the process that called is still there and awake; if it is not awake, it gets the event later.
    fn answers(&mut self, call: &Call, event: impl FnOnce() -> Event) -> Option<Event> {
        let replica = &self.replicas[call.replica];
        if replica.life != call.life || !replica.is_running {
            return None;
        }
        if replica.frozen_until > self.now {
            let at = replica.frozen_until;
            self.push(at, event());
            return None;
        }
        Some(event())
    }

    pub(super) fn loaded(&mut self, call: Call, loaded: Loaded) {
        let event = self.answers(&call.clone(), || Event::Loaded(call, loaded));
        let Some(Event::Loaded(call, loaded)) = event else {
            return;
        };
        let place = call.replica;
        let now = self.clock(self.replicas[place].ahead);
        match loaded {
            Loaded::Failed => self.leave(&call),
            Loaded::Empty => {
                let ends = self.scenario.first_ends;
                let end = ends.map(|ends| now.saturating_add(Duration::from_secs(ends)));
                let first = Entry::new(self.new_kid(), end, now);
                let promise = self.replicas[place].policy.promise();
                let next = State::first(promise, first, now);
                self.send(Call { read: None, ..call }, next);
            }
            Loaded::State(state) => {
                if !self.accept(place, &state, call.asked_at) {
                    return self.leave(&call);
                }
                let mut next = State::clone(&state);
                let read = Some(state.epoch);
                let Some(call) = self.decide(Call { read, ..call }, &mut next, now) else {
                    return;
                };
                next.epoch = state.epoch + 1;
                self.send(call, next);
            }
        }
    }

    fn send(&mut self, mut call: Call, next: State) {
        let place = call.replica;
        call.asked_at = self.clock(self.replicas[place].ahead);
        let (before, after) = match self.replicas[place].slow_write.take() {
            Some(slow) if self.now <= slow.begins_until => (slow.before, slow.after),
            _ => (self.small(place), Some(0)),
        };
        if after.is_none() {
            let given_up = self.now + before / 2;
            self.push(given_up, Event::Written(call.clone(), Written::Unknown));
            // Nobody waits for what it is going to do.
            call.life = u32::MAX;
        }
        self.push(self.now + before, Event::Write(call, Box::new(next)));
    }

    pub(super) fn write(&mut self, call: Call, next: State) {
        let replica = &self.replicas[call.replica];
        let deaf = replica.deaf_until > self.now;
        let written = if replica.cut_off_until > self.now || self.store.restored(self.now).is_some()
        {
            Written::Unknown
        } else {
            let document = Box::new(next.clone());
            match self.swap(call.replica, call.read, next) {
                _ if deaf => Written::Unknown,
                true => Written::Done(document),
                false => Written::Conflict,
            }
        };
        let after = self.small(call.replica);
        self.push(self.now + after, Event::Written(call, written));
    }

    pub(super) fn written(&mut self, call: Call, written: Written) {
        let event = self.answers(&call.clone(), || Event::Written(call, written));
        let Some(Event::Written(call, written)) = event else {
            return;
        };
        match written {
            Written::Done(state) => {
                self.accept(call.replica, &state, call.asked_at);
                self.leave(&call);
            }
            Written::Conflict | Written::Unknown if call.tries < MOST_TRIES => self.ask(Call {
                tries: call.tries + 1,
                ..call
            }),
            Written::Conflict | Written::Unknown => self.leave(&call),
        }
    }
}
