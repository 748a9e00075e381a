//! What goes wrong: situations that are known to be hard, each with its chances.

use super::{
    generate::{ahead, longer},
    random::Random,
    scenario::{Action, SECOND, Tick, Times, Which},
};

pub(super) struct Scenes {
    pub(super) times: Times,
    pub(super) replicas: usize,
    pub(super) verifiers: usize,
    pub(super) actions: Vec<(Tick, Action)>,
    pub(super) random: Random,
}

impl Scenes {
    /// One thing that is known to be hard, at about this time.
    pub(super) fn play(&mut self, at: Tick) {
        match self.random.between(0..=15) {
            0..=2 => self.rotate_twice(at),
            3 => self.revoke(at),
            4 | 14 => self.write_late(at),
            5 => self.restart(at),
            6 => self.rotate_then_revoke(at),
            7 => self.import(at),
            8 => self.restore(at),
            9 => self.step_clocks(at),
            10 => self.hide_a_replica(at),
            11 => self.join(at),
            12 | 13 => self.part_the_clocks(at),
            _ => self.add(at, |scenes| {
                let (replica, ticks) = (scenes.replica(), scenes.about_a_lease());
                Action::LoseAnswers { replica, ticks }
            }),
        }
    }

    fn add(&mut self, at: Tick, action: impl FnOnce(&mut Self) -> Action) {
        let action = action(self);
        self.actions.push((at, action));
    }

    fn replica(&mut self) -> usize {
        self.random.place(self.replicas)
    }

    fn ahead(&mut self) -> Tick {
        ahead(&mut self.random, &self.times)
    }

    fn about_a_lease(&mut self) -> Tick {
        let lease = self.times.propagation * SECOND;
        self.random.extreme(SECOND..=2 * lease)
    }

    /// The second key has to be announced from when it is there, as there was no time before.
    fn rotate_twice(&mut self, at: Tick) {
        if self.random.percent(70) {
            self.hide_a_replica(at);
        }
        let moment = at + self.random.between(0..=2 * SECOND);
        self.add(moment, |scenes| Action::Rotate {
            replica: scenes.replica(),
        });
        let moment = moment + self.random.between(2..=4 * SECOND);
        self.add(moment, |scenes| Action::Rotate {
            replica: scenes.replica(),
        });
    }

    /// A replica does not learn what happens, and verifiers ask it.
    fn hide_a_replica(&mut self, at: Tick) {
        let replica = self.replica();
        let ticks = match self.random.percent(15) {
            true => self.random.between(20 * SECOND..=60 * SECOND),
            false => self.about_a_lease(),
        };
        self.actions.push(match self.random.between(0..=5) {
            0 => (at, Action::Freeze { replica, ticks }),
            1 | 2 => (
                at,
                Action::SlowRead {
                    replica,
                    before: 0,
                    after: ticks,
                },
            ),
            _ => (at, Action::CutOff { replica, ticks }),
        });
        for verifier in 0..self.verifiers {
            if self.random.percent(60) {
                self.actions.push((at, Action::Ask { verifier, replica }));
            }
        }
        if self.random.percent(50) {
            self.actions.push((
                at,
                Action::ReplicaClock {
                    replica,
                    ahead: self.times.clock_skew * SECOND,
                },
            ));
            let moment = at + self.random.between(1..=2 * SECOND);
            self.add(moment, |scenes| Action::ReplicaClock {
                replica,
                ahead: scenes.ahead(),
            });
        }
    }

    /// Of two replicas one is cut off with a clock that is ahead, and what is dated by a clock that is behind
    /// is acted on by one that is ahead.
    fn part_the_clocks(&mut self, at: Tick) {
        let ahead = self.times.clock_skew * SECOND;
        let replica = self.replica();
        let other = (replica + 1) % self.replicas;
        let asks = if self.random.percent(50) {
            replica
        } else {
            other
        };
        for verifier in 0..self.verifiers {
            self.actions
                .push((at, Action::VerifierClock { verifier, ahead: 0 }));
            self.actions.push((
                at,
                Action::Ask {
                    verifier,
                    replica: asks,
                },
            ));
        }
        self.actions
            .push((at, Action::ReplicaClock { replica, ahead }));
        self.actions.push((
            at,
            Action::ReplicaClock {
                replica: other,
                ahead: 0,
            },
        ));
        let moment = at + self.times.poll * SECOND + self.random.between(1..=4);
        let ticks = 2 * self.times.propagation * SECOND;
        self.actions
            .push((moment, Action::CutOff { replica, ticks }));
        if self.random.percent(50) {
            self.actions
                .push((moment, Action::ReplicaClock { replica, ahead: 0 }));
        }
        self.actions
            .push((moment, Action::Rotate { replica: other }));
        let moment = moment + self.random.between(1..=SECOND);
        if self.random.percent(50) {
            self.actions
                .push((moment, Action::Rotate { replica: other }));
        }
        let moment = moment + self.random.between(SECOND..=4 * SECOND);
        self.actions.push((
            moment,
            Action::ReplicaClock {
                replica: other,
                ahead,
            },
        ));
    }

    fn revoke(&mut self, at: Tick) {
        let replica = self.replica();
        let all = [Which::Active, Which::Pending, Which::Retiring];
        for _ in 0..self.random.between(1..=3) {
            let moment = at + self.random.between(0..=SECOND);
            let which = all[self.random.place(all.len())];
            self.actions
                .push((moment, Action::Revoke { replica, which }));
        }
        if self.random.percent(50) {
            self.hide_a_replica(at);
        }
    }

    fn rotate_then_revoke(&mut self, at: Tick) {
        let replica = self.replica();
        self.actions.push((at, Action::Rotate { replica }));
        let moment = at + self.random.between(SECOND..=20 * SECOND);
        self.add(moment, |scenes| Action::Revoke {
            replica: scenes.replica(),
            which: Which::Active,
        });
    }

    /// What was decided long ago comes into force, and one more replica may not hear of it.
    fn write_late(&mut self, at: Tick) {
        let replica = self.replica();
        let lease = self.times.propagation * SECOND;
        let (before, waits) = (
            self.random.extreme(lease..=4 * lease),
            self.random.percent(60),
        );
        self.actions.push((
            at,
            Action::SlowWrite {
                replica,
                before,
                waits,
            },
        ));
        self.actions.push((at, Action::Rotate { replica }));
        let in_force = at + before;
        if self.random.percent(50) {
            let other = (replica + 1) % self.replicas;
            let verifier = self.random.place(self.verifiers);
            let asks = if self.random.percent(50) {
                replica
            } else {
                other
            };
            self.actions.push((
                in_force,
                Action::CutOff {
                    replica: other,
                    ticks: lease,
                },
            ));
            self.actions.push((
                in_force,
                Action::Ask {
                    verifier,
                    replica: asks,
                },
            ));
        }
        if self.random.percent(50) {
            let moment = in_force + self.random.between(1..=3 * SECOND);
            self.add(moment, |scenes| Action::Rotate {
                replica: scenes.replica(),
            });
        }
    }

    fn restart(&mut self, at: Tick) {
        let replica = self.replica();
        let ticks = self.about_a_lease();
        let longer = longer(&mut self.random, 50);
        self.actions.push((
            at,
            Action::Restart {
                replica,
                ticks,
                longer,
            },
        ));
        if self.random.percent(50) {
            let moment = at + ticks + self.random.between(0..=4 * SECOND);
            self.add(moment, |scenes| Action::Rotate {
                replica: scenes.replica(),
            });
        }
    }

    /// A replica with longer times knows the ring, and does not get its times into the promise, while keys
    /// change without it.
    fn join(&mut self, at: Tick) {
        let replica = self.replica();
        let (ticks, before) = (SECOND, self.about_a_lease());
        let waits = self.random.percent(80);
        let longer = longer(&mut self.random, 80);
        self.actions.push((
            at,
            Action::Restart {
                replica,
                ticks,
                longer,
            },
        ));
        self.actions.push((
            at,
            Action::SlowWrite {
                replica,
                before,
                waits,
            },
        ));
        for verifier in 0..self.verifiers {
            self.actions.push((at, Action::Ask { verifier, replica }));
        }
        let mut moment = at + ticks;
        for _ in 0..2 {
            moment += self.random.between(2..=3 * SECOND);
            self.add(moment, |scenes| Action::Rotate {
                replica: scenes.replica(),
            });
        }
    }

    fn import(&mut self, at: Tick) {
        self.add(at, |scenes| Action::Import {
            replica: scenes.replica(),
            ends: scenes.random.between(5..=120),
        });
    }

    fn restore(&mut self, at: Tick) {
        let (epochs, ticks) = (self.random.between(1..=3), self.about_a_lease());
        self.actions.push((at, Action::Restore { epochs, ticks }));
    }

    fn step_clocks(&mut self, at: Tick) {
        for _ in 0..self.random.between(1..=4) {
            let moment = at + self.random.between(0..=5 * SECOND);
            let verifier = self.random.place(self.verifiers);
            self.add(moment, |scenes| match scenes.random.percent(70) {
                true => Action::ReplicaClock {
                    replica: scenes.replica(),
                    ahead: scenes.ahead(),
                },
                false => Action::VerifierClock {
                    verifier,
                    ahead: scenes.ahead(),
                },
            });
        }
    }
}
