//! Keys that are fetched: from a provider that rotates, goes down, hangs, lies and is flooded.

mod copy;
mod discovery;
mod flood;
mod layer;
mod provider;
mod refresh;
mod sets;
mod status;
mod time;
mod wrong;

use self::{
    provider::{Behavior, JSON, Provider, padded, set},
    time::{HOUR, MINUTE, SECOND, TestClock},
};
use std::time::Duration;
use tests::{
    forge::{AUDIENCE, ISSUER, Token},
    keys::{key, new_key},
    time::NOW,
};
use tokio::time::sleep;
use tower_backend_jwt::{Issuer, RefusalReason, Verifier};
use tower_jwks::{Algorithm, FetchStatus, KeySource, RemoteJwks, SigningKey};

/// The key that the provider has from the start.
fn first() -> &'static SigningKey {
    key(Algorithm::ES256)
}

/// A verifier with these keys, by this clock.
fn verifier(keys: &RemoteJwks, clock: &TestClock) -> Verifier {
    let issuer = Issuer::from_source(ISSUER, keys.clone()).audience(AUDIENCE);
    let verifier = Verifier::builder().issuer(issuer.build().unwrap());
    verifier.clock(*clock).build().unwrap()
}

/// How the fetching gets on.
fn fetching(keys: &RemoteJwks) -> FetchStatus {
    keys.status().fetching.expect("they are fetched")
}

/// What was wrong with the fetch that failed last.
fn last_error(keys: &RemoteJwks) -> String {
    fetching(keys).last_error.expect("one has failed").message
}

/// A token that lives for two days.
fn token(key: &SigningKey) -> String {
    let end = NOW.saturating_add(48 * HOUR).as_secs();
    Token::of(key).claim("exp", end).sign()
}

/// What becomes of a token.
fn verdict(verifier: &Verifier, token: &str) -> Result<(), RefusalReason> {
    let verdict = verifier.verify(token);
    verdict.map(drop).map_err(|refusal| refusal.reason())
}

/// What becomes of a token that may wait for its key.
async fn verdict_in_time(verifier: &Verifier, token: &str) -> Result<(), RefusalReason> {
    let verdict = verifier.verify_or_wait(token).await;
    verdict.map(drop).map_err(|refusal| refusal.reason())
}

/// The provider of the first key, its keys fetched, and a verifier of its tokens.
async fn start() -> (Provider, RemoteJwks, Verifier, TestClock) {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let keys = provider.at(&clock).build().unwrap();
    keys.ready().await;
    let verifier = verifier(&keys, &clock);
    (provider, keys, verifier, clock)
}
