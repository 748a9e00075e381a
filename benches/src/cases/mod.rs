//! What is measured.

mod jwks;
mod keys;
mod mint;
mod validate;

use self::keys::OwnKey;
use bench_kit::{Case, Provider};
use tower_jwks::Algorithm;

/// So many different tokens that each is new again to a cache that keeps little when it comes back. No more, so that
/// they are in the processor's cache, as a token is that has just come over a connection.
const TOKENS: usize = 256;

/// All that is measured, in the order of the table.
///
/// # Panics
///
/// A key cannot be made, or a stack does not do what it is to do.
#[must_use]
pub fn all() -> Vec<Case> {
    let provider = Provider::generate();
    let tokens = provider.tokens(TOKENS);
    let own = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA].map(OwnKey::generate);
    let mut cases = validate::cases(&provider, &tokens);
    cases.extend(mint::cold(&provider, &tokens, &own));
    cases.extend(mint::warm(&provider, &tokens[0], &own[0]));
    cases.extend(jwks::cases(&own[0]));
    cases
}
