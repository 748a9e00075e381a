//! 100, 10,000 and 1,000,000 different tokens, all of them in use.

use super::{
    rounds::{self, Rounds},
    timing,
};
use crate::{
    Fault, allocations,
    args::Options,
    machine::Pinning,
    report::{Report, Row},
    stack::{self, Bounds, DEFAULT_BOUNDS, Leaf},
    statistics::median,
    tokens::Provider,
};
use http::{HeaderValue, Request, Response};
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};
use tower::{Layer, Service};
use tower_backend_jwt::{AccessTokenLayer, TokenCache, Verifier};
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
        let tokens = &tokens[..count];
        for (name, measure, bounds) in [
            ("minted-default-caches", minted as Measure, DEFAULT_BOUNDS),
            ("minted-all-held", minted, holding(count)),
            ("validated-all-held", validated, holding(count)),
        ] {
            let name = format!("tokens-{count}-{name}");
            eprint!("\r{name}                              ");
            report.push(measure(&verifier, tokens, bounds)?.named(name));
        }
    }
    evictions(options, &verifier, &tokens, report)?;
    eprintln!();
    Ok(())
}

type Measure = fn(&Verifier, &[HeaderValue], Bounds) -> Result<Many, Fault>;

/// Every token once, and then again in another order.
struct Many {
    first_ns: f64,
    again_ns: f64,
    token_hit_percent: f64,
    jwt_hit_percent: f64,
    bytes_per_token: f64,
}

/// Tokens that come again where not all are kept: as many as say how it goes.
const AGAIN: usize = 100_000;

/// What of a run can be seen from outside.
#[derive(Default)]
struct Watched {
    tokens: TokenCache,
    /// The backend JWT of the last request.
    jwt: Arc<AtomicU64>,
}

fn minted(verifier: &Verifier, tokens: &[HeaderValue], bounds: Bounds) -> Result<Many, Fault> {
    let watched = Watched::new(bounds);
    let minting = stack::minting(ALGORITHM, Some(bounds))?;
    let stack = stack::both(&watched.validating(verifier), &minting, watched.leaf());
    many(stack, &watched, tokens, bounds)
}

fn validated(verifier: &Verifier, tokens: &[HeaderValue], bounds: Bounds) -> Result<Many, Fault> {
    let watched = Watched::new(bounds);
    let stack = watched.validating(verifier).layer(watched.leaf());
    let many = many(stack, &watched, tokens, bounds)?;
    let jwt_hit_percent = f64::NAN;
    Ok(Many {
        jwt_hit_percent,
        ..many
    })
}

impl Watched {
    fn new((entries, bytes): Bounds) -> Self {
        let tokens = TokenCache::new(entries, bytes);
        Self {
            tokens,
            ..Self::default()
        }
    }

    fn validating(&self, verifier: &Verifier) -> AccessTokenLayer {
        AccessTokenLayer::new(verifier.clone()).token_cache(self.tokens.clone())
    }

    fn leaf(&self) -> Leaf {
        Leaf::remembering(&self.jwt)
    }
}

fn many<S, B>(
    mut service: S,
    watched: &Watched,
    tokens: &[HeaderValue],
    bounds: Bounds,
) -> Result<Many, Fault>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let mut jwts = vec![0; tokens.len()];
    let all = tokens.len();
    let in_order = Order {
        step: 1,
        requests: all,
    };
    let (first, bytes) =
        allocations::growth(|| pass(&mut service, tokens, in_order, &watched.jwt, &mut jwts));
    // Neighbors are far apart: what comes next is in no cache of the processor, as with many callers.
    let again = Order {
        step: stride(all),
        requests: if bounds.0 < all { all.min(AGAIN) } else { all },
    };
    let misses = watched.tokens.status().misses;
    let Passed { ns, hits: jwt_hits } = pass(&mut service, tokens, again, &watched.jwt, &mut jwts)?;
    let percent = |hits: u64| 100.0 * hits as f64 / again.requests as f64;
    Ok(Many {
        first_ns: first?.ns,
        again_ns: ns,
        token_hit_percent: percent(
            again.requests as u64 - (watched.tokens.status().misses - misses),
        ),
        jwt_hit_percent: percent(jwt_hits),
        // Of those that are kept.
        bytes_per_token: bytes / all.min(bounds.0) as f64,
    })
}

impl Many {
    fn named(&self, name: String) -> Row {
        Row::new(name)
            .with("first_ns", self.first_ns)
            .with("again_ns", self.again_ns)
            .with("token_hit_percent", self.token_hit_percent)
            .with("jwt_hit_percent", self.jwt_hit_percent)
            .with("bytes_per_token", self.bytes_per_token)
    }
}

/// So many requests, with tokens that are this many places apart.
#[derive(Debug, Clone, Copy)]
struct Order {
    step: usize,
    requests: usize,
}

struct Passed {
    /// For each request.
    ns: f64,
    /// Requests with the backend JWT that their token had before.
    hits: u64,
}

/// What JWT a token has is in `jwts`, and is kept up to date there.
fn pass<S, B>(
    service: &mut S,
    tokens: &[HeaderValue],
    order: Order,
    seen: &AtomicU64,
    jwts: &mut [u64],
) -> Result<Passed, Fault>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let start = Instant::now();
    let mut hits = 0;
    let mut place = 0;
    for _ in 0..order.requests {
        let status = stack::call(service, &tokens[place]);
        if !status.is_success() {
            return Err(format!("a request is answered {status}").into());
        }
        // A backend JWT is told from another of the same token by its `jti`.
        let jwt = seen.load(Ordering::Relaxed);
        hits += u64::from(jwts[place] == jwt);
        jwts[place] = jwt;
        place = (place + order.step) % tokens.len();
    }
    let ns = start.elapsed().as_nanos() as f64 / order.requests as f64;
    Ok(Passed { ns, hits })
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
    let turn = tokens.len().min(options.pick(2_000, 6_000));
    let minting = stack::minting(ALGORITHM, Some(BOUNDS))?;
    let validating = stack::validating(verifier, Some(BOUNDS));
    let mut full = stack::both(&validating, &minting, Leaf::default());
    let minting = stack::minting(ALGORITHM, None)?;
    let validating = stack::validating(verifier, None);
    let mut none = stack::both(&validating, &minting, Leaf::default());
    let mut turns = tokens.chunks_exact(turn).cycle();
    let Rounds { samples, quiet } = rounds::quiet("evictions", options, || {
        let tokens = turns.next().unwrap_or_default();
        let (fill, tokens) = tokens.split_at(BOUNDS.0.min(turn / 2));
        timing::each(&mut full, fill)?;
        timing::each(&mut none, fill)?;
        Ok((
            timing::each(&mut full, tokens)?,
            timing::each(&mut none, tokens)?,
        ))
    })?;
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
            )
            .with("quiet_rounds", quiet as f64),
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
