//! Rounds in which every case has its turn.

use crate::{Case, allocations};
use std::time::{Duration, Instant};

/// What was measured of one case.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Median over the rounds, nanoseconds an iteration.
    pub(crate) ns: f64,
    /// Allocations an iteration, of Rust code.
    pub(crate) allocations: f64,
}

/// How long one case runs in one round.
const TURN: Duration = Duration::from_millis(60);

pub(crate) fn in_turns(cases: &[Case], rounds: usize) -> Vec<Row> {
    let iterations: Vec<u32> = cases.iter().map(calibrate).collect();
    let mut samples = vec![Vec::with_capacity(rounds); cases.len()];
    for round in 1..=rounds {
        eprint!("\rround {round} of {rounds}");
        for ((case, iterations), samples) in cases.iter().zip(&iterations).zip(&mut samples) {
            samples.push(time(case, *iterations).as_nanos() as f64 / f64::from(*iterations));
        }
    }
    eprintln!();
    cases
        .iter()
        .zip(&mut samples)
        .map(|(case, samples)| {
            samples.sort_by(f64::total_cmp);
            Row {
                name: case.name,
                ns: samples[samples.len() / 2],
                allocations: count(case),
            }
        })
        .collect()
}

fn calibrate(case: &Case) -> u32 {
    let mut iterations = 1;
    loop {
        let elapsed = time(case, iterations);
        if elapsed >= TURN / 4 {
            let scale = TURN.as_secs_f64() / elapsed.as_secs_f64();
            return (f64::from(iterations) * scale).max(1.0) as u32;
        }
        iterations *= 4;
    }
}

fn time(case: &Case, iterations: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..iterations {
        (case.run)();
    }
    start.elapsed()
}

fn count(case: &Case) -> f64 {
    const ITERATIONS: u32 = 100;
    let before = allocations::count();
    for _ in 0..ITERATIONS {
        (case.run)();
    }
    (allocations::count() - before) as f64 / f64::from(ITERATIONS)
}
