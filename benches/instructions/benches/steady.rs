//! Instructions of the steady paths: the same from run to run, whatever else the machine does.

mod limits;

use axum::{Router, body::Body};
use bench_kit::call;
use gungraun::prelude::*;
use gungraun::{Callgrind, EventKind};
use http::Response;
use instructions::{ES256, Prepared, RS256, Routed};
use std::hint::black_box;
use tower_backend_jwt::{Refusal, VerifiedToken, Verifier};
use tower_jwks::{BytesBody, JwksEndpoint};

fn at_most(instructions: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, instructions)]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

// What is given back is dropped afterwards, and not counted.

#[library_benchmark]
#[bench::bare(args = (instructions::bare()), config = at_most(limits::BARE))]
#[bench::warm_validate(args = (instructions::warm_validate()), config = at_most(limits::WARM_VALIDATE))]
#[bench::warm_validate_and_mint(
    args = (instructions::warm_validate_and_mint()),
    config = at_most(limits::WARM_VALIDATE_AND_MINT)
)]
#[bench::cold_validate_rs256(
    args = (instructions::cold_validate(RS256)),
    config = at_most(limits::COLD_VALIDATE_RS256)
)]
#[bench::cold_validate_es256(
    args = (instructions::cold_validate(ES256)),
    config = at_most(limits::COLD_VALIDATE_ES256)
)]
#[bench::forged(args = (instructions::forged()), config = at_most(limits::FORGED))]
fn request(prepared: Routed) -> (Router, Response<Body>) {
    let Prepared {
        mut service,
        request,
    } = prepared;
    let response = call(&mut service, black_box(request));
    (service, response)
}

#[library_benchmark]
#[bench::unknown_kid(args = (instructions::unknown_kid()), config = at_most(limits::UNKNOWN_KID))]
fn token(
    (verifier, token): (Verifier, String),
) -> (Verifier, String, Result<VerifiedToken, Refusal>) {
    let refused = verifier.verify(black_box(&token));
    (verifier, token, refused)
}

#[library_benchmark]
#[bench::jwks(args = (instructions::jwks(false)), config = at_most(limits::JWKS))]
#[bench::jwks_304(args = (instructions::jwks(true)), config = at_most(limits::JWKS_304))]
fn keys(prepared: Prepared<JwksEndpoint, ()>) -> (JwksEndpoint, Response<BytesBody>) {
    let Prepared {
        mut service,
        request,
    } = prepared;
    let response = call(&mut service, black_box(request));
    (service, response)
}

library_benchmark_group!(name = steady, benchmarks = [request, token, keys]);
main!(library_benchmark_groups = steady);
