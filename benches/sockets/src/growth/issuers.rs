//! 1, 10 and 1,000 issuers in one verifier.

use super::timing;
use crate::{
    Fault,
    args::Options,
    report::{Report, Row},
    stack::{self, DEFAULT_BOUNDS, Leaf},
    statistics::median,
    tokens::{EVERYDAY, Provider},
};
use http::HeaderValue;
use tower_jwks::Algorithm;

/// Tokens that are asked with, of issuers in turn.
const TOKENS: usize = 1_000;

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), Fault> {
    let mut cases = Vec::new();
    for count in [1, 10, 1_000] {
        let providers: Vec<_> = (0..count)
            .map(|number| {
                let name = format!("https://idp-{number}.example.com");
                Provider::new(name, Algorithm::ES256)
            })
            .collect::<Result<_, _>>()?;
        let verifier = stack::verifier(&providers)?;
        let tokens: Vec<HeaderValue> = (0..TOKENS)
            .map(|number| stack::bearer(&providers[number % count].token(number, EVERYDAY)?))
            .collect::<Result<_, _>>()?;
        let minting = stack::minting(Algorithm::ES256, Some(DEFAULT_BOUNDS))?;
        let warm = stack::validating(&verifier, Some(DEFAULT_BOUNDS));
        let warm = stack::both(&warm, &minting, Leaf::default());
        let cold = stack::validating(&verifier, None);
        cases.push((
            count,
            tokens,
            warm,
            tower::Layer::layer(&cold, Leaf::default()),
        ));
    }
    let requests = options.pick(TOKENS, 10 * TOKENS);
    let rounds = options.rounds(7);
    let mut samples = vec![Vec::new(); cases.len()];
    for round in 1..=rounds {
        eprint!("\rissuers: round {round} of {rounds}    ");
        for ((_, tokens, warm, cold), samples) in cases.iter_mut().zip(&mut samples) {
            timing::each(warm, tokens)?;
            let warm = timing::repeated(warm, tokens, requests)?;
            samples.push((warm, timing::repeated(cold, tokens, requests)?));
        }
    }
    for ((count, ..), samples) in cases.iter().zip(&samples) {
        report.push(
            Row::new(format!("issuers-{count}"))
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
