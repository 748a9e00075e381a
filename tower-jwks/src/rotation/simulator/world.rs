//! One run of a scenario: true time, and what happens in its order.

use super::{
    call::{Call, Loaded, Slow, Written},
    errand::Errand,
    promises::{Break, Broken},
    replica::Replica,
    scenario::{Action, SECOND, SOON, Scenario, Tick},
    store::Store,
    timeline::{Line, Who},
    token::{Answer, Token},
    verifier::Verifier,
};
use crate::{UnixTime, rotation::state::State};
use std::{cmp::Ordering, collections::BinaryHeap};

/// What clocks that are right show when a run begins.
pub(super) const START: u64 = 1_000;

pub(super) struct World<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) now: Tick,
    pub(super) store: Store,
    pub(super) replicas: Vec<Replica>,
    pub(super) verifiers: Vec<Verifier>,
    /// Those that somebody may still take to be alive.
    pub(super) tokens: Vec<Token>,
    pub(super) next_kid: u32,
    pub(super) counts: Counts,
    pub(super) broken: Option<Break>,
    /// What happened, if somebody wants to read it.
    pub(super) lines: Option<Vec<Line>>,
    queue: BinaryHeap<Queued>,
    queued: u64,
}

/// How much was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) tokens: u64,
    pub(super) verifications: u64,
    /// Verifications for which no replica gave the verifier a set.
    pub(super) unavailable: u64,
}

pub(super) enum Event {
    /// The next thing of the scenario.
    Act(Action),
    Start(usize),
    /// A replica looks at the store, if it is still in this life.
    Poll(usize, u32),
    /// The store is read, and answers after so long.
    Read(Call, Tick),
    Loaded(Call, Loaded),
    /// The store is written, and answers.
    Write(Call, Box<State>),
    Written(Call, Written),
    /// Somebody asks a replica for a token.
    Mint(usize),
    /// A verifier has a token to verify.
    Look(usize),
    Answer(usize, Answer),
}

struct Queued {
    at: Tick,
    turn: u64,
    event: Event,
}

impl<'a> World<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let replicas = scenario.replicas.iter().enumerate();
        let verifiers = scenario.verifiers.iter().enumerate();
        let mut world = Self {
            now: 0,
            store: Store::new(),
            replicas: replicas
                .map(|(place, plan)| Replica::new(scenario, place, plan))
                .collect(),
            verifiers: verifiers
                .map(|(place, plan)| Verifier::new(scenario, place, plan))
                .collect(),
            tokens: Vec::new(),
            next_kid: 1,
            counts: Counts::default(),
            broken: None,
            lines: None,
            queue: BinaryHeap::new(),
            queued: 0,
            scenario,
        };
        for (at, action) in &scenario.actions {
            world.push(*at, Event::Act(*action));
        }
        for (place, replica) in scenario.replicas.iter().enumerate() {
            world.push(replica.starts, Event::Start(place));
            world.push(replica.starts, Event::Mint(place));
        }
        for place in 0..scenario.verifiers.len() {
            world.push(0, Event::Look(place));
        }
        world
    }

    /// Runs it until it ends, or something breaks.
    pub(super) fn run(&mut self) {
        while let Some(Queued { at, event, .. }) = self.queue.pop() {
            if at > self.scenario.end || self.broken.is_some() {
                break;
            }
            self.now = at;
            self.happen(event);
        }
        if self.broken.is_none() {
            self.now = self.scenario.end;
            self.check_that_it_is_well();
        }
    }

    pub(super) fn push(&mut self, at: Tick, event: Event) {
        self.queued += 1;
        self.queue.push(Queued {
            at,
            turn: self.queued,
            event,
        });
    }

    /// What a clock shows that is ahead by so much.
    pub(super) const fn clock(&self, ahead: Tick) -> UnixTime {
        UnixTime::from_secs(START + (self.now + ahead) / SECOND)
    }

    pub(super) fn fail(&mut self, broken: Broken, why: impl FnOnce() -> String) {
        if self.broken.is_none() {
            self.note(Who::Broken, why);
            let at = self.now;
            self.broken = Some(Break { at, broken });
        }
    }

    pub(super) fn note(&mut self, who: Who, text: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(Line {
                at: self.now,
                who,
                text: text(),
            });
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Act(action) => self.act(action),
            Event::Start(replica) => self.start(replica),
            Event::Poll(replica, life) => self.poll(replica, life),
            Event::Read(call, after) => self.read(call, after),
            Event::Loaded(call, loaded) => self.loaded(call, loaded),
            Event::Write(call, next) => self.write(call, *next),
            Event::Written(call, written) => self.written(call, written),
            Event::Mint(replica) => self.mint(replica),
            Event::Look(verifier) => self.look(verifier),
            Event::Answer(verifier, answer) => self.keep(verifier, answer),
        }
    }

    fn act(&mut self, action: Action) {
        let now = self.now;
        self.note(Who::of(&action), || action.to_string());
        match action {
            Action::ReplicaClock { replica, ahead } => self.replicas[replica].ahead = ahead,
            Action::VerifierClock { verifier, ahead } => {
                self.verifiers[verifier].ahead = ahead;
                self.verify_all(verifier, false);
            }
            Action::CutOff { replica, ticks } => self.replicas[replica].cut_off_until = now + ticks,
            Action::LoseAnswers { replica, ticks } => {
                self.replicas[replica].deaf_until = now + ticks
            }
            Action::SlowRead {
                replica,
                before,
                after,
            } => self.replicas[replica].slow_read = Some(slow(now, before, Some(after))),
            Action::SlowWrite {
                replica,
                before,
                waits,
            } => self.replicas[replica].slow_write = Some(slow(now, before, waits.then_some(0))),
            Action::Freeze { replica, ticks } => self.replicas[replica].frozen_until = now + ticks,
            Action::Restart {
                replica,
                ticks,
                longer,
            } => self.restart(replica, ticks, longer),
            Action::Rotate { replica } => self.call(replica, Errand::Rotate),
            Action::Revoke { replica, which } => self.call(replica, Errand::Revoke(which)),
            Action::Import { replica, ends } => self.call(replica, Errand::Import(ends)),
            Action::Restore { epochs, ticks } => self.store.restore(epochs, now + ticks),
            Action::Ask { verifier, replica } => self.verifiers[verifier].asks = replica,
        }
    }
}

const fn slow(now: Tick, before: Tick, after: Option<Tick>) -> Slow {
    let begins_until = now + SOON;
    Slow {
        begins_until,
        before,
        after,
    }
}

impl Ord for Queued {
    /// The earliest is the greatest, as a heap gives that first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.turn).cmp(&(self.at, self.turn))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.turn == other.turn
    }
}

impl Eq for Queued {}
