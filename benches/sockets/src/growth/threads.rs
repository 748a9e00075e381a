//! One thread and two, which have a core each and share the layers.

use super::{
    rounds::{self, Rounds},
    timing,
};
use crate::{
    Fault,
    args::Options,
    machine::{Pinning, this_threads_cpu},
    report::{Report, Row},
    stack::{self, DEFAULT_BOUNDS, Leaf},
    statistics::median,
    tokens::Provider,
};
use http::{HeaderValue, Request, Response};
use std::{
    convert::Infallible,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};
use tower::{Layer, Service};
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
    let minting = stack::minting(Algorithm::RS256, Some(DEFAULT_BOUNDS))?;
    let validating = stack::validating(&verifier, Some(DEFAULT_BOUNDS));
    let both = stack::both(&validating, &minting, Leaf::default());
    let turn = Duration::from_millis(options.pick(20, 500) as u64);
    let mut case = |name: &str, rounds: &Rounds<[f64; 3]>| {
        let samples = &rounds.samples;
        // The cores need not be equally fast.
        let one = |[first, second, _]: &[f64; 3]| (first + second) / 2.0;
        let ratios = samples.iter().map(|sample| sample[2] / one(sample));
        let row = Row::new(format!("threads-{name}"))
            .with("one_per_cpu_s", median(samples.iter().map(one)))
            .with(
                "two_per_cpu_s",
                median(samples.iter().map(|sample| sample[2])),
            )
            .with("ratio", median(ratios))
            .with("quiet_rounds", rounds.quiet as f64);
        report.push(match name {
            "minted" => row.with("least_ratio", 1.9),
            _ => row,
        });
    };
    let three = |name: &str, tokens: &[HeaderValue]| {
        let name = format!("threads-{name}");
        rounds::quiet(&name, options, || three_rates(pinning, &both, tokens, turn))
    };
    case("minted", &three("minted", &tokens)?);
    // Where all ask for the same token, they share one entry of the caches.
    case(
        "minted-one-token",
        &three("minted-one-token", &tokens[..1])?,
    );
    let alone = validating.layer(Leaf::default());
    let rounds = rounds::quiet("threads-validated", options, || {
        three_rates(pinning, &alone, &tokens, turn)
    })?;
    case("validated", &rounds);
    let rounds = rounds::quiet("threads-nothing", options, || {
        three_rates(pinning, &Leaf::default(), &tokens, turn)
    })?;
    // What the machine gives: nothing is shared.
    case("nothing", &rounds);
    eprintln!();
    Ok(())
}

/// Requests a CPU second of one thread, on the first core and on the second, and of two.
fn three_rates<S, B>(
    pinning: Pinning,
    service: &S,
    tokens: &[HeaderValue],
    turn: Duration,
) -> Result<[f64; 3], Fault>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible> + Clone + Send,
{
    Ok([
        rate(pinning, service, tokens, &[0], turn)?,
        rate(pinning, service, tokens, &[1], turn)?,
        rate(pinning, service, tokens, &[0, 1], turn)?,
    ])
}

/// Requests a CPU second of a thread on each of these cores, summed up: a thread that others keep from its core is no
/// slower by that, but one that waits for another's cache line is.
fn rate<S, B>(
    pinning: Pinning,
    service: &S,
    tokens: &[HeaderValue],
    cores: &[usize],
    turn: Duration,
) -> Result<f64, Fault>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible> + Clone + Send,
{
    let barrier = Barrier::new(cores.len());
    thread::scope(|scope| {
        let threads: Vec<_> = cores
            .iter()
            .enumerate()
            .map(|(index, core)| {
                let barrier = &barrier;
                let mut service = service.clone();
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
                    let (start, used) = (Instant::now(), this_threads_cpu()?);
                    let mut requests = 0;
                    while start.elapsed() < turn {
                        timing::repeated(&mut service, &tokens, 1_000.max(tokens.len()))?;
                        requests += 1_000.max(tokens.len());
                    }
                    let used = this_threads_cpu()? - used;
                    Ok(requests as f64 / used.as_secs_f64())
                })
            })
            .collect();
        let rates = threads.into_iter().map(|thread| thread.join());
        rates
            .map(|rate| rate.map_err(|_| "a thread panicked")?)
            .sum()
    })
}
