//! Scenarios from a seed. Times are small and faults are about as long as the times that they are to break,
//! so that what is rare elsewhere happens in each run.

use super::{
    random::Random,
    scenario::{Action, Longer, ReplicaPlan, SECOND, SOON, Scenario, Tick, Times, VerifierPlan},
    scenes::Scenes,
};

pub(super) fn scenario(seed: u64) -> Scenario {
    let mut random = Random::part(seed, 0xA11);
    let times = times(&mut random);
    let replicas: Vec<_> = (0..random.between(1..=4))
        .map(|_| ReplicaPlan {
            starts: if random.percent(70) {
                0
            } else {
                random.between(0..=60 * SECOND)
            },
            ahead: ahead(&mut random, &times),
            longer: longer(&mut random, 8),
        })
        .collect();
    let verifiers = (0..random.between(1..=3))
        .map(|_| VerifierPlan {
            ahead: ahead(&mut random, &times),
            ignores_ages: random.percent(50),
            delay: random.extreme(0..=times.grace * SECOND),
            asks: random.place(replicas.len()),
        })
        .collect::<Vec<_>>();
    let mut scenes = Scenes {
        times,
        replicas: replicas.len(),
        verifiers: verifiers.len(),
        actions: Vec::new(),
        random,
    };
    // The first is after the time of the first key's reserve.
    let mut at = scenes.random.between(2 * SECOND..=50 * SECOND);
    for _ in 0..scenes.random.between(2..=6) {
        scenes.play(at);
        at += scenes.random.extreme(0..=30 * SECOND);
    }
    let Scenes {
        mut actions,
        mut random,
        ..
    } = scenes;
    actions.sort_by_key(|(at, _)| *at);
    let lasts =
        |(at, action): &mut (Tick, Action)| *at + action.ticks_mut().map_or(0, |ticks| *ticks);
    let starts = replicas.iter().map(|replica| replica.starts);
    let calm = actions.iter_mut().map(lasts).chain(starts).max();
    let calm = calm.unwrap_or(0) + SOON;
    let mut scenario = Scenario {
        seed,
        jitter: true,
        times,
        first_ends: random.percent(10).then(|| random.between(10..=80)),
        replicas,
        verifiers,
        actions,
        end: 0,
    };
    scenario.end = calm + time_to_recover(&scenario) * SECOND;
    scenario
}

/// How long it takes at most, from when nothing goes wrong any more, until a ring without any key signs with
/// one that was announced.
fn time_to_recover(scenario: &Scenario) -> u64 {
    let Times {
        poll,
        propagation,
        max_age,
        grace,
        clock_skew,
        ..
    } = scenario.times;
    propagation + max_age + LONGEST_EXTRA + grace + 2 * clock_skew + 6 * (poll + 2) + 2 * clock_skew
}

/// By how much a replica's times are longer than the others', at most.
const LONGEST_EXTRA: u64 = 20;

fn times(random: &mut Random) -> Times {
    let propagation = random.extreme(4..=10);
    let max_age = random.extreme(0..=6);
    let grace = random.extreme(0..=6);
    let clock_skew = random.extreme(0..=3);
    let token_life = random.extreme(1..=8);
    let announcement = propagation + max_age + grace + 2 * clock_skew;
    Times {
        interval: announcement + random.extreme(0..=12),
        poll: random.extreme(1..=(propagation - 1) / 2),
        propagation,
        max_age,
        grace,
        clock_skew,
        token_life,
        emergency_max_age: random.between(0..=max_age),
    }
}

pub(super) fn ahead(random: &mut Random, times: &Times) -> Tick {
    random.extreme(0..=times.clock_skew * SECOND)
}

pub(super) fn longer(random: &mut Random, percent: u64) -> Longer {
    if !random.percent(percent) {
        return Longer::default();
    }
    let mut extra = || random.extreme(0..=LONGEST_EXTRA);
    Longer {
        token_life: extra(),
        max_age: extra(),
    }
}
