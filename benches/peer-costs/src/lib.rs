//! What other crates take to validate a token that they have not seen before, in processes of their own.
//!
//! Each program measures the bare verification as well, in the same rounds: the ratios to it are what can be
//! compared from one process to another.

use bench_kit::{Case, Provider, raw_verify};
use http::StatusCode;
use std::process::ExitCode;
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: bench_kit::Counting = bench_kit::Counting;

/// As many as our own rows have.
const TOKENS: usize = 2048;

/// What a peer is given.
pub struct Given {
    pub provider: Provider,
    pub tokens: Vec<String>,
}

/// Measures the cases that `peer` makes; the body of each program's `main`.
pub fn run(peer: impl AsyncFnOnce(&Given) -> Vec<Case>) -> ExitCode {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime starts");
    // Some peers ask for one while a request is under way, though none waits.
    let _entered = runtime.enter();
    bench_kit::run(ABOUT, || {
        let provider = Provider::generate();
        let tokens = provider.tokens(TOKENS);
        let raw = raw_verify("raw-verify-rs256", provider.public_key(), &tokens);
        let given = Given { provider, tokens };
        let mut cases = vec![raw];
        cases.extend(runtime.block_on(peer(&given)));
        cases
    })
}

const ABOUT: &str = "\
What a peer takes to validate an access token that it has not seen before, beside the bare verification.";

/// Requests with all tokens through the peer.
#[cfg(any(feature = "axum", feature = "jwt-authorizer"))]
pub fn validating<S, B, R>(name: &'static str, service: S, given: &Given) -> Case
where
    S: tower_service::Service<http::Request<B>, Response = http::Response<R>, Error = Never>
        + 'static,
    B: Default,
{
    bench_kit::through(name, service, &given.tokens, StatusCode::OK).times(&["raw-verify-rs256"])
}

#[cfg(any(feature = "axum", feature = "jwt-authorizer"))]
type Never = std::convert::Infallible;

/// What the peers are put around.
#[cfg(feature = "axum")]
pub fn router() -> axum::Router {
    axum::Router::new().route("/orders", axum::routing::get(async || StatusCode::OK))
}
