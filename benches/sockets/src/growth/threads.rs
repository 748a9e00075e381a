//! One thread and two, which have a core each and share the layers.

use super::timing;
use crate::{
    Fault,
    args::Options,
    machine::Pinning,
    report::{Report, Row},
    stack::{self, DEFAULT_BOUNDS, Leaf, Stack},
    statistics::median,
    tokens::Provider,
};
use http::HeaderValue;
use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};
use tower_jwks::Algorithm;

pub(super) fn measure(
    options: &Options,
    pinning: Pinning,
    report: &mut Report,
) -> Result<(), Fault> {
    let provider = Provider::new("https://idp.example.com", Algorithm::RS256)?;
    let verifier = stack::verifier([&provider])?;
    let tokens = provider.tokens(options.pick(10, 1_000), 2)?;
    let tokens = tokens.iter().map(|token| stack::bearer(token));
    let tokens = tokens.collect::<Result<Vec<_>, _>>()?;
    let rounds = options.rounds(7);
    // Where all ask for the same token, they share one entry of the caches.
    for (name, tokens) in [("", &tokens[..]), ("-one-token", &tokens[..1])] {
        let minting = stack::minting(Algorithm::RS256, Some(DEFAULT_BOUNDS))?;
        let validating = stack::validating(&verifier, Some(DEFAULT_BOUNDS));
        let mut stack = stack::both(&validating, &minting, Leaf::default());
        timing::each(&mut stack, tokens)?;
        let mut samples = Vec::new();
        for round in 1..=rounds {
            eprint!("\rthreads: round {round} of {rounds}    ");
            let turn = Duration::from_millis(options.pick(20, 1_000) as u64);
            let [first, second] = [0, 1].map(|core| rate(pinning, &stack, tokens, &[core], turn));
            let both = rate(pinning, &stack, tokens, &[0, 1], turn)?;
            // The cores need not be equally fast, or equally free.
            samples.push(((first? + second?) / 2.0, both));
        }
        let one = median(samples.iter().map(|(one, _)| *one));
        let two = median(samples.iter().map(|(_, two)| *two));
        report.push(Row::new(format!("threads-1{name}")).with("requests_per_s", one));
        let ratio = median(samples.iter().map(|(one, two)| two / one));
        let row = Row::new(format!("threads-2{name}"))
            .with("requests_per_s", two)
            .with("ratio", ratio);
        report.push(match name {
            "" => row.with("least_ratio", 1.9),
            _ => row,
        });
    }
    eprintln!();
    Ok(())
}

/// Requests a second of a thread on each of these cores.
fn rate(
    pinning: Pinning,
    stack: &Stack,
    tokens: &[HeaderValue],
    cores: &[usize],
    turn: Duration,
) -> Result<f64, Fault> {
    let barrier = Barrier::new(cores.len());
    thread::scope(|scope| {
        let threads: Vec<_> = cores
            .iter()
            .enumerate()
            .map(|(index, core)| {
                let barrier = &barrier;
                let mut stack = stack.clone();
                // They do not go side by side through the tokens. The values are copies, as each request has its own.
                let (before, after) = tokens.split_at(tokens.len() / cores.len() * index);
                let tokens: Result<Vec<_>, _> = [after, before]
                    .concat()
                    .iter()
                    .map(|token| HeaderValue::from_bytes(token.as_bytes()))
                    .collect();
                scope.spawn(move || -> Result<f64, Fault> {
                    let tokens = tokens?;
                    // All come to the barrier, whatever becomes of them.
                    let pinned = pinning.this_thread(*core);
                    barrier.wait();
                    pinned?;
                    let start = Instant::now();
                    let mut requests = 0;
                    while start.elapsed() < turn {
                        timing::repeated(&mut stack, &tokens, 1_000.max(tokens.len()))?;
                        requests += 1_000.max(tokens.len());
                    }
                    Ok(requests as f64 / start.elapsed().as_secs_f64())
                })
            })
            .collect();
        let rates = threads.into_iter().map(|thread| thread.join());
        rates
            .map(|rate| rate.map_err(|_| "a thread panicked")?)
            .sum()
    })
}
