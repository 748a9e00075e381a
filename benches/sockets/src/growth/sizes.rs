//! Tokens of 1, 4, 8 and 16 KB.

use super::timing;
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
    let requests = options.pick(TOKENS, 20_000);
    let rounds = options.rounds(7);
    let mut samples = vec![Vec::new(); sizes.len()];
    for round in 1..=rounds {
        eprint!("\rsizes: round {round} of {rounds}    ");
        for ((_, tokens, warm, cold), samples) in sizes.iter_mut().zip(&mut samples) {
            timing::each(warm, tokens)?;
            let warm = timing::repeated(warm, tokens, requests)?;
            samples.push((warm, timing::repeated(cold, tokens, requests)?));
        }
    }
    for ((name, tokens, ..), samples) in sizes.iter().zip(&samples) {
        let length = tokens.first().map_or(0, HeaderValue::len) - "Bearer ".len();
        report.push(
            Row::new(format!("size-{name}kb"))
                .with("token_bytes", length as f64)
                .with("warm_ns", median(samples.iter().map(|(warm, _)| *warm)))
                .with(
                    "cold_validate_ns",
                    median(samples.iter().map(|(_, cold)| *cold)),
                ),
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
