//! A replica: what it knows, and its life from a start to an end.

use super::{
    call::{Call, Slow},
    errand::Errand,
    random::Random,
    scenario::{Longer, ReplicaPlan, SECOND, Scenario, Tick},
    timeline::{Who, seconds},
    world::{Event, START, World},
};
use crate::{
    RotationPolicy, UnixTime,
    rotation::{
        rule::{self, Rule},
        state::State,
        view::{Idle, View},
    },
};

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
    pub(super) life: u32,
    pub(super) is_running: bool,
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

    pub(super) fn small(&mut self, place: usize) -> Tick {
        match self.scenario.jitter {
            true => self.replicas[place].random.between(0..=1),
            false => 0,
        }
    }

    /// The call is over. After a look at the store, the next one follows.
    pub(super) fn leave(&mut self, call: &Call) {
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
    pub(super) fn accept(&mut self, place: usize, state: &State, asked_at: UnixTime) -> bool {
        let replica = &mut self.replicas[place];
        let asked_at = match rule::holds(Rule::LeaseFromTheQuestion) {
            true => asked_at,
            false => UnixTime::from_secs(START + (self.now + replica.ahead) / SECOND),
        };
        let Some(view) = &mut replica.view else {
            replica.view = Some(View {
                state: state.clone(),
                confirmed_at: asked_at,
            });
            return true;
        };
        let seen = view.state.epoch;
        if view.may_become(state).is_err() {
            self.note(Who::Replica(place), || {
                format!("refuses epoch {}, as it has seen {seen}", state.epoch)
            });
            return false;
        }
        *view = View {
            state: state.clone(),
            confirmed_at: asked_at,
        };
        if state.epoch < seen {
            self.went_back(place, seen, state.epoch);
        } else if state.epoch > seen {
            let asked = seconds(asked_at.as_secs().saturating_sub(START) * SECOND);
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
