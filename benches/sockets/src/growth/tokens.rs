//! 100, 10,000 and 1,000,000 different tokens, all of them in use.

use super::timing;
use crate::{
    Fault,
    args::Options,
    machine::Pinning,
    report::{Report, Row},
    stack::{self, Bounds, DEFAULT_BOUNDS, Leaf, Stack},
    statistics::median,
    tokens::Provider,
};
use http::HeaderValue;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tower_backend_jwt::Verifier;
use tower_jwks::Algorithm;

/// Many tokens: signed in the cheapest way, and so are the backend JWTs.
const ALGORITHM: Algorithm = Algorithm::EdDSA;

pub(super) fn measure(
    options: &Options,
    pinning: Pinning,
    report: &mut Report,
) -> Result<(), Fault> {
    let provider = Provider::new("https://idp.example.com", ALGORITHM)?;
    let verifier = stack::verifier([&provider])?;
    let most = options.pick(12_000, 1_000_000);
    pinning.this_process("0,1")?;
    let tokens = provider.tokens(most, 2)?;
    pinning.this_thread(1)?;
    let tokens = tokens.iter().map(|token| stack::bearer(token));
    let tokens = tokens.collect::<Result<Vec<_>, _>>()?;

    // More than is needed: caches have parts, over which tokens are not spread evenly.
    let holding = |count: usize| (2 * count, count as u64 * 16_384);
    for count in [100, 10_000, most] {
        for (name, bounds) in [
            ("default-cache", DEFAULT_BOUNDS),
            ("cache-that-holds-all", holding(count)),
        ] {
            eprint!("\rtokens: {count}, {name}              ");
            let tokens = &tokens[..count];
            report.push(many(&verifier, tokens, bounds)?.named(format!("tokens-{count}-{name}")));
        }
    }
    evictions(options, &verifier, &tokens, report)?;
    eprintln!();
    Ok(())
}

/// Every token once, and then again in another order.
struct Many {
    first_ns: f64,
    again_ns: f64,
    hit_percent: f64,
    bytes_per_token: f64,
}

fn many(verifier: &Verifier, tokens: &[HeaderValue], bounds: Bounds) -> Result<Many, Fault> {
    let seen = Arc::default();
    let minting = stack::minting(ALGORITHM, Some(bounds))?;
    let validating = stack::validating(verifier, Some(bounds));
    let mut stack = stack::both(&validating, &minting, Leaf::remembering(&seen));
    let mut jwts = vec![0; tokens.len()];
    let (first, bytes) = timing::growth(|| pass(&mut stack, tokens, 1, &seen, &mut jwts));
    let (first_ns, _) = first?;
    // Neighbors are far apart: what comes next is in no cache of the processor, as it would be for many callers.
    let (again_ns, hits) = pass(&mut stack, tokens, stride(tokens.len()), &seen, &mut jwts)?;
    Ok(Many {
        first_ns,
        again_ns,
        hit_percent: 100.0 * hits as f64 / tokens.len() as f64,
        // Of those that are kept.
        bytes_per_token: bytes / tokens.len().min(bounds.0) as f64,
    })
}

impl Many {
    fn named(&self, name: String) -> Row {
        Row::new(name)
            .with("first_ns", self.first_ns)
            .with("again_ns", self.again_ns)
            .with("hit_percent", self.hit_percent)
            .with("bytes_per_token", self.bytes_per_token)
    }
}

/// Each token once, this many places apart: nanoseconds for each, and how many had the backend JWT that they have in
/// `jwts`, where the new ones are written.
fn pass(
    stack: &mut Stack,
    tokens: &[HeaderValue],
    stride: usize,
    seen: &AtomicU64,
    jwts: &mut [u64],
) -> Result<(f64, usize), Fault> {
    let start = std::time::Instant::now();
    let mut hits = 0;
    let mut place = 0;
    for _ in 0..tokens.len() {
        let status = stack::call(stack, &tokens[place]);
        if !status.is_success() {
            return Err(format!("a request is answered {status}").into());
        }
        // A backend JWT is told from another of the same token by its `jti`.
        let jwt = seen.load(Ordering::Relaxed);
        hits += usize::from(jwts[place] == jwt);
        jwts[place] = jwt;
        place = (place + stride) % tokens.len();
    }
    Ok((
        start.elapsed().as_nanos() as f64 / tokens.len() as f64,
        hits,
    ))
}

/// A step that comes to every place.
fn stride(places: usize) -> usize {
    let common = |mut a: usize, mut b: usize| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let near = (places as f64 * 0.618) as usize;
    (near..)
        .find(|step| common(*step, places) == 1)
        .unwrap_or(1)
}

/// What it costs to keep a token when others have to go for it: new tokens with full caches, less new tokens without
/// caches.
fn evictions(
    options: &Options,
    verifier: &Verifier,
    tokens: &[HeaderValue],
    report: &mut Report,
) -> Result<(), Fault> {
    /// Few enough that the caches stay full of others, in each round.
    const BOUNDS: Bounds = (1_000, 64 << 20);
    let rounds = options.rounds(7);
    let turn = tokens.len().min(options.pick(2_000, 20_000));
    let mut samples = Vec::new();
    let minting = stack::minting(ALGORITHM, Some(BOUNDS))?;
    let validating = stack::validating(verifier, Some(BOUNDS));
    let mut full = stack::both(&validating, &minting, Leaf::default());
    let minting = stack::minting(ALGORITHM, None)?;
    let validating = stack::validating(verifier, None);
    let mut none = stack::both(&validating, &minting, Leaf::default());
    for (round, tokens) in (1..=rounds).zip(tokens.chunks_exact(turn).cycle()) {
        eprint!("\revictions: round {round} of {rounds}              ");
        let (fill, tokens) = tokens.split_at(BOUNDS.0.min(turn / 2));
        timing::each(&mut full, fill)?;
        timing::each(&mut none, fill)?;
        samples.push((
            timing::each(&mut full, tokens)?,
            timing::each(&mut none, tokens)?,
        ));
    }
    report.push(
        Row::new("insert-that-evicts")
            .with("full_ns", median(samples.iter().map(|(full, _)| *full)))
            .with(
                "without_caches_ns",
                median(samples.iter().map(|(_, none)| *none)),
            )
            .with(
                "difference_ns",
                median(samples.iter().map(|(full, none)| full - none)),
            ),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stride_comes_to_every_place() {
        for places in [1, 2, 100, 12_000, 1_000_000] {
            let step = stride(places);
            let mut seen = vec![false; places];
            let mut place = 0;
            for _ in 0..places {
                seen[place] = true;
                place = (place + step) % places;
            }
            assert!(seen.iter().all(|seen| *seen), "{places}");
        }
    }
}
