use super::{explain, generate, run, world::Counts};
use crate::key_ring::rule::{Rule, without};

/// The first of so many schedules that breaks, with its number.
fn first_break(seed: u64, schedules: u64) -> Option<(u64, String)> {
    (0..schedules).find_map(|number| {
        let scenario = generate::scenario(seed.wrapping_add(number));
        let broken = run(&scenario).broken?;
        Some((number, explain(&scenario, &broken)))
    })
}

#[test]
fn no_schedule_breaks_a_promise() {
    let mut counts = Counts::default();
    for seed in 0..2_000 {
        let scenario = generate::scenario(seed);
        let outcome = run(&scenario);
        if let Some(broken) = outcome.broken {
            panic!(
                "seed {seed}: {}\n{}",
                broken.why,
                explain(&scenario, &broken)
            );
        }
        counts.tokens += outcome.counts.tokens;
        counts.verifications += outcome.counts.verifications;
        counts.unavailable += outcome.counts.unavailable;
        counts.events += outcome.counts.events;
    }
    println!("{counts:?}");
}

#[test]
#[ignore]
fn show() {
    for rule in Rule::ALL {
        match without(rule, || first_break(0, 20_000)) {
            Some((number, timeline)) => println!("== {rule:?} at {number}\n{timeline}"),
            None => println!("== {rule:?}: NOT FOUND"),
        }
    }
}
