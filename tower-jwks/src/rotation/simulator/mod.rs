//! A simulator of a ring: replicas with clocks of their own over one store that is slow, unreachable or
//! forgetful; verifiers that keep what they fetched; and each token that was minted between them.
//!
//! It runs the ring's own code, without its cryptography, sockets and time. A scenario comes from a seed, is
//! run in true time, and is judged by what [`promises`] lists. What breaks is made as small as it goes and
//! printed as a timeline. That each rule of [`rule`](super::rule) is needed is shown by switching it off.

mod call;
mod campaign;
mod errand;
mod generate;
mod promises;
mod random;
mod replica;
mod scenario;
mod scenes;
mod service;
mod shrink;
mod store;
mod tests;
mod timeline;
mod token;
mod verifier;
mod world;

use promises::Break;
use scenario::Scenario;
use world::{Counts, World};

/// What came of one run.
struct Outcome {
    counts: Counts,
    broken: Option<Break>,
}

fn run(scenario: &Scenario) -> Outcome {
    let mut world = World::new(scenario);
    world.run();
    Outcome {
        counts: world.counts,
        broken: world.broken,
    }
}

/// The smallest scenario that breaks in the same way as this one, as a timeline.
fn explain(scenario: &Scenario, broken: &Break) -> String {
    let smallest = shrink::shrink(scenario, broken);
    let mut world = World::new(&smallest);
    world.lines = Some(Vec::new());
    world.run();
    timeline::render(&smallest, world.lines.as_deref().unwrap_or_default())
}
