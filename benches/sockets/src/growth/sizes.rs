//! Tokens of 1, 4, 8 and 16 KB.

use super::{rounds, timing};
use crate::{
    Fault,
    args::Options,
    report::{Report, Row},
    stack::{self, DEFAULT_BOUNDS, Leaf},
    statistics::median,
    tokens::Provider,
};
use http::HeaderValue;
use tower_jwks::Algorithm;

/// Different tokens of each size.
const TOKENS: usize = 100;

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), Fault> {
    let provider = Provider::new("https://idp.example.com", Algorithm::RS256)?;
    let verifier = stack::verifier([&provider])?;
    let mut sizes = Vec::new();
    // The last is under the 16 KiB that are read at most.
    for (name, bytes) in [("1", 1_250), ("4", 4_096), ("8", 8_192), ("16", 16_300)] {
        let tokens = tokens_of(&provider, bytes)?;
        let minting = stack::minting(Algorithm::RS256, Some(DEFAULT_BOUNDS))?;
        let warm = stack::validating(&verifier, Some(DEFAULT_BOUNDS));
        let warm = stack::both(&warm, &minting, Leaf::default());
        let cold = stack::validating(&verifier, None);
        sizes.push((
            name,
            tokens,
            warm,
            tower::Layer::layer(&cold, Leaf::default()),
        ));
    }
    let requests = options.pick(TOKENS, 5_000);
    let rounds = rounds::quiet("sizes", options, || {
        let each = sizes.iter_mut().map(|(_, tokens, warm, cold)| {
            timing::each(warm, tokens)?;
            let warm = timing::repeated(warm, tokens, requests)?;
            Ok((warm, timing::repeated(cold, tokens, requests)?))
        });
        each.collect::<Result<Vec<_>, Fault>>()
    })?;
    for (index, (label, tokens, ..)) in sizes.iter().enumerate() {
        let length = tokens.first().map_or(0, HeaderValue::len) - "Bearer ".len();
        let of = |part: fn(&(f64, f64)) -> f64| {
            let round = rounds.samples.iter().filter_map(|round| round.get(index));
            median(round.map(part))
        };
        report.push(
            Row::new(format!("size-{label}kb"))
                .with("token_bytes", length as f64)
                .with("warm_ns", of(|(warm, _)| *warm))
                .with("cold_validate_ns", of(|(_, cold)| *cold))
                .with("quiet_rounds", rounds.quiet as f64),
        );
    }
    eprintln!();
    Ok(())
}

/// Tokens of this length, or a few bytes less.
fn tokens_of(provider: &Provider, length: usize) -> Result<Vec<HeaderValue>, Fault> {
    let least = provider.token(0, 0)?.len();
    // Four characters of base64 for three bytes of claims.
    let padding = length.saturating_sub(least) / 4 * 3;
    (0..TOKENS)
        .map(|number| stack::bearer(&provider.token(number, padding)?))
        .collect()
}
