//! A replica: the loop that the ring's driver runs, in steps between which anything can happen.

use super::{
    random::Random,
    scenario::{Longer, ReplicaPlan, SECOND, Scenario, Tick, Which},
    timeline::{Who, seconds},
    token::{kid_of, number_of},
    world::{Event, World},
};
use crate::{
    RotationPolicy, UnixTime,
    key_ring::{
        rule::{self, Rule},
        schedule::Cause,
        state::{Entry, KeyState, State},
        view::{Idle, View},
    },
};
use std::{rc::Rc, time::Duration};

/// How often one thing is tried.
const MOST_TRIES: u32 = 8;

pub(super) struct Replica {
    pub(super) ahead: Tick,
    pub(super) policy: RotationPolicy,
    /// What it knows. A process that has ended knows nothing.
    pub(super) view: Option<View>,
    pub(super) cut_off_until: Tick,
    /// Until then it does not hear what came of what it writes.
    pub(super) deaf_until: Tick,
    pub(super) frozen_until: Tick,
    /// What is to happen to the next read or write, if that comes soon.
    pub(super) slow_read: Option<Slow>,
    pub(super) slow_write: Option<Slow>,
    /// The highest epoch that it has answered with in this life.
    pub(super) answered: u64,
    pub(super) random: Random,
    life: u32,
    is_running: bool,
}

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
    life: u32,
    errand: Errand,
    /// When it asked the store, by its clock.
    asked_at: UnixTime,
    /// What it read, and is going to write over.
    read: Option<u64>,
    tries: u32,
}

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

impl Replica {
    pub(super) fn new(scenario: &Scenario, place: usize, plan: &ReplicaPlan) -> Self {
        Self {
            ahead: plan.ahead,
            policy: policy(scenario, plan.longer),
            view: None,
            cut_off_until: 0,
            deaf_until: 0,
            frozen_until: 0,
            slow_read: None,
            slow_write: None,
            answered: 0,
            random: Random::part(scenario.seed, place as u64),
            life: 0,
            is_running: false,
        }
    }

    /// Whether it does anything now.
    pub(super) const fn is_up(&self, now: Tick) -> bool {
        self.is_running && self.frozen_until <= now
    }

    pub(super) fn signer(&self, now: UnixTime) -> Result<usize, Idle> {
        let view = self.view.as_ref().ok_or(Idle::Unconfirmed)?;
        view.signer(&self.policy, now)
    }
}

fn policy(scenario: &Scenario, longer: Longer) -> RotationPolicy {
    let policy = scenario.times.policy(longer);
    policy.expect("a scenario that is sound has policies that can be built")
}

impl World<'_> {
    pub(super) fn start(&mut self, place: usize) {
        let replica = &mut self.replicas[place];
        if replica.is_running {
            return;
        }
        replica.is_running = true;
        let life = replica.life;
        self.note(Who::Replica(place), || "starts".into());
        self.poll(place, life);
    }

    pub(super) fn restart(&mut self, place: usize, ticks: Tick, longer: Longer) {
        let policy = policy(self.scenario, longer);
        let replica = &mut self.replicas[place];
        replica.is_running = false;
        replica.life += 1;
        replica.view = None;
        replica.answered = 0;
        replica.policy = policy;
        self.push(self.now + ticks, Event::Start(place));
    }

    pub(super) fn poll(&mut self, place: usize, life: u32) {
        if self.replicas[place].life == life {
            self.call(place, Errand::Poll);
        }
    }

    pub(super) fn call(&mut self, place: usize, errand: Errand) {
        let replica = &self.replicas[place];
        if !replica.is_running {
            return;
        }
        let (life, asked_at) = (replica.life, UnixTime::from_secs(0));
        self.ask(Call {
            replica: place,
            life,
            errand,
            asked_at,
            read: None,
            tries: 0,
        });
    }

    fn small(&mut self, place: usize) -> Tick {
        match self.scenario.jitter {
            true => self.replicas[place].random.between(0..=1),
            false => 0,
        }
    }

    fn ask(&mut self, call: Call) {
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

    /// What the call makes of the state that was read. None if that is nothing.
    fn decide(&mut self, mut call: Call, next: &mut State, now: UnixTime) -> Option<Call> {
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

    fn new_kid(&mut self) -> Box<str> {
        let kid = kid_of(self.next_kid);
        self.next_kid += 1;
        kid
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

    /// The call is over. After a look at the store, the next one follows.
    fn leave(&mut self, call: &Call) {
        if !matches!(call.errand, Errand::Poll) {
            return;
        }
        let poll = self.scenario.times.poll * SECOND;
        // A tenth more or less, which the real ring counts in finer steps.
        let jitter = match self.scenario.jitter {
            true => self.replicas[call.replica].random.between(0..=2),
            false => 1,
        };
        let at = self.now + poll + jitter - 1;
        self.push(at, Event::Poll(call.replica, call.life));
    }

    /// Takes a state that was read or written. False if it is an older one.
    fn accept(&mut self, place: usize, state: &State, asked_at: UnixTime) -> bool {
        let replica = &mut self.replicas[place];
        let asked_at = match rule::holds(Rule::LeaseFromTheQuestion) {
            true => asked_at,
            false => UnixTime::from_secs(super::world::START + (self.now + replica.ahead) / SECOND),
        };
        let Some(view) = &mut replica.view else {
            replica.view = Some(View {
                state: state.clone(),
                confirmed_at: asked_at,
            });
            return true;
        };
        let seen = view.state.epoch;
        if view.accept(state.clone(), asked_at).is_err() {
            self.note(Who::Replica(place), || {
                format!("refuses epoch {}, as it has seen {seen}", state.epoch)
            });
            return false;
        }
        if state.epoch < seen {
            self.went_back(place, seen, state.epoch);
        } else if state.epoch > seen {
            let asked = seconds(asked_at.as_secs().saturating_sub(super::world::START) * SECOND);
            self.note(Who::Replica(place), || {
                format!(
                    "knows epoch {}, which it asked for at {asked} by its clock",
                    state.epoch
                )
            });
        }
        true
    }
}
