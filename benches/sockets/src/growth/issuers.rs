//! 1, 10 and 1,000 issuers in one verifier.

use super::{rounds, timing};
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
    let requests = options.pick(TOKENS, 3 * TOKENS);
    let rounds = rounds::quiet("issuers", options, || {
        let each = cases.iter_mut().map(|(_, tokens, warm, cold)| {
            timing::each(warm, tokens)?;
            let warm = timing::repeated(warm, tokens, requests)?;
            Ok((warm, timing::repeated(cold, tokens, requests)?))
        });
        each.collect::<Result<Vec<_>, Fault>>()
    })?;
    for (index, (label, ..)) in cases.iter().enumerate() {
        let of = |part: fn(&(f64, f64)) -> f64| {
            let round = rounds.samples.iter().filter_map(|round| round.get(index));
            median(round.map(part))
        };
        report.push(
            Row::new(format!("issuers-{label}"))
                .with("warm_ns", of(|(warm, _)| *warm))
                .with("cold_validate_ns", of(|(_, cold)| *cold))
                .with("quiet_rounds", rounds.quiet as f64),
        );
    }
    eprintln!();
    Ok(())
}
