//! The smallest scenario that still breaks in the same way.

use super::{
    promises::{Break, Broken},
    run,
    scenario::{Action, Longer, SECOND, Scenario, Tick},
};

/// How many scenarios are tried.
const MOST_TRIES: usize = 4_000;

pub(super) fn shrink(scenario: &Scenario, first: &Break) -> Scenario {
    let mut shrinking = Shrinking {
        smallest: scenario.clone(),
        broken: first.broken,
        tries: 0,
    };
    if first.broken != Broken::RecoversInTime {
        shrinking.stop_at(first.at);
    }
    loop {
        let before = shrinking.size();
        shrinking.drop_actions();
        shrinking.drop_replicas();
        shrinking.drop_verifiers();
        shrinking.calm_down();
        shrinking.shorten();
        if shrinking.size() == before || shrinking.tries >= MOST_TRIES {
            return shrinking.smallest;
        }
    }
}

struct Shrinking {
    smallest: Scenario,
    broken: Broken,
    tries: usize,
}

impl Shrinking {
    /// Takes it if it breaks as well.
    fn attempt(&mut self, mut candidate: Scenario) -> bool {
        if self.tries >= MOST_TRIES || !candidate.is_sound() {
            return false;
        }
        self.tries += 1;
        let Some(found) = run(&candidate).broken else {
            return false;
        };
        if found.broken != self.broken {
            return false;
        }
        if self.broken != Broken::RecoversInTime {
            candidate.end = found.at;
        }
        self.smallest = candidate;
        true
    }

    fn with(&mut self, change: impl FnOnce(&mut Scenario)) -> bool {
        let mut candidate = self.smallest.clone();
        change(&mut candidate);
        self.attempt(candidate)
    }

    fn stop_at(&mut self, at: Tick) {
        self.with(|scenario| {
            scenario.end = at;
            scenario.actions.retain(|(when, _)| *when <= at);
        });
    }

    /// Halves of them, quarters, and so on down to each one.
    fn drop_actions(&mut self) {
        let mut size = self.smallest.actions.len().div_ceil(2);
        while size > 0 {
            let mut from = 0;
            while from < self.smallest.actions.len() {
                let until = (from + size).min(self.smallest.actions.len());
                let dropped = self.with(|scenario| {
                    scenario.actions.drain(from..until);
                });
                if !dropped {
                    from += size;
                }
            }
            size /= 2;
        }
    }

    fn drop_replicas(&mut self) {
        for place in (0..self.smallest.replicas.len()).rev() {
            self.with(|scenario| {
                scenario.replicas.remove(place);
                scenario
                    .actions
                    .retain(|(_, action)| action.replica() != Some(place));
                for (_, action) in &mut scenario.actions {
                    if let Some(replica) = action.replica_mut() {
                        *replica -= usize::from(*replica > place);
                    }
                }
                for verifier in &mut scenario.verifiers {
                    verifier.asks -= usize::from(verifier.asks > 0 && verifier.asks >= place);
                }
            });
        }
    }

    fn drop_verifiers(&mut self) {
        for place in (0..self.smallest.verifiers.len()).rev() {
            self.with(|scenario| {
                scenario.verifiers.remove(place);
                scenario
                    .actions
                    .retain(|(_, action)| action.verifier() != Some(place));
                for (_, action) in &mut scenario.actions {
                    if let Some(verifier) = action.verifier_mut() {
                        *verifier -= usize::from(*verifier > place);
                    }
                }
            });
        }
    }

    /// Makes things usual that are not.
    fn calm_down(&mut self) {
        self.with(|scenario| scenario.jitter = false);
        self.with(|scenario| scenario.first_ends = None);
        for place in 0..self.smallest.replicas.len() {
            self.with(|scenario| scenario.replicas[place].longer = Longer::default());
            self.with(|scenario| scenario.replicas[place].ahead = 0);
            self.with(|scenario| scenario.replicas[place].starts = 0);
        }
        for place in 0..self.smallest.verifiers.len() {
            self.with(|scenario| scenario.verifiers[place].ahead = 0);
            self.with(|scenario| scenario.verifiers[place].delay = 0);
            self.with(|scenario| scenario.verifiers[place].ignores_ages = false);
        }
        for set in [
            |scenario: &mut Scenario| scenario.times.grace = 0,
            |scenario: &mut Scenario| scenario.times.max_age = 0,
            |scenario: &mut Scenario| scenario.times.clock_skew = 0,
            |scenario: &mut Scenario| scenario.times.token_life = 1,
            |scenario: &mut Scenario| scenario.times.poll = 1,
            |scenario: &mut Scenario| scenario.times.interval = 100,
        ] {
            self.with(set);
        }
    }

    /// Makes what lasts last less, down to whole seconds, and what happens happen earlier.
    fn shorten(&mut self) {
        for place in 0..self.smallest.actions.len() {
            for divisor in [2, 4, 8] {
                while self
                    .smallest
                    .actions
                    .get_mut(place)
                    .is_some_and(|(_, action)| {
                        action.ticks_mut().is_some_and(|ticks| *ticks >= divisor)
                    })
                    && self.with(|scenario| less(&mut scenario.actions[place].1, divisor))
                {
                }
            }
        }
        for earlier in [20 * SECOND, 5 * SECOND, SECOND] {
            for place in 0..self.smallest.actions.len() {
                while self.smallest.actions[place].0 > earlier
                    && self.with(|scenario| {
                        for (at, _) in &mut scenario.actions[place..] {
                            *at = at.saturating_sub(earlier);
                        }
                        scenario.actions.sort_by_key(|(at, _)| *at);
                    })
                {}
            }
        }
    }

    /// What is to become smaller.
    fn size(&self) -> (usize, usize, Tick, Tick) {
        let Scenario {
            replicas,
            verifiers,
            actions,
            ..
        } = &self.smallest;
        let mut actions = actions.clone();
        let lasts = actions
            .iter_mut()
            .map(|(at, action)| *at + action.ticks_mut().map_or(0, |ticks| *ticks));
        let times: Tick = lasts.sum();
        (
            actions.len(),
            replicas.len() + verifiers.len(),
            times,
            self.smallest.end,
        )
    }
}

fn less(action: &mut Action, divisor: Tick) {
    if let Some(ticks) = action.ticks_mut() {
        *ticks -= (*ticks / divisor).max(1);
    }
}
