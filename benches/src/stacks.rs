//! The layers as a program would have them.

use axum::{Router, routing::get};
use bench_kit::{AUDIENCE, ISSUER};
use http::StatusCode;
use tower_backend_jwt::{AccessTokenLayer, Api, BackendJwtLayer, Issuer, IssuerBuilder, Verifier};
use tower_jwks::{JwkSet, KeyRing};

/// What a layer keeps of what it has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// As much as it does by default.
    Default,
    /// Little, so that among many tokens each is new again when it comes back: what is looked up, put in and thrown
    /// out of the cache is part of the price.
    Little,
}

/// Entries of a cache that keeps little.
const LITTLE: usize = 2;
/// Room for each of them.
const ROOM: u64 = LITTLE as u64 * 16 * 1024;

/// A router with one route.
pub fn router() -> Router {
    Router::new().route("/orders", get(|| async { StatusCode::OK }))
}

/// As `axum::serve` has it: layers are put around the routes once, and not with each request.
pub fn served(router: Router) -> Router {
    router.with_state(())
}

/// Verifies the provider's tokens by the system's clock: to read the time is part of the price.
///
/// # Panics
///
/// That is no key set.
#[must_use]
pub fn verifier(jwks: &str) -> Verifier {
    let keys = JwkSet::parse(jwks).expect("a key set");
    verifier_of(Issuer::from_jwks(ISSUER, keys))
}

pub(crate) fn verifier_of(issuer: IssuerBuilder) -> Verifier {
    let issuer = issuer
        .audience(AUDIENCE)
        .build()
        .expect("it has all it needs");
    Verifier::from(issuer)
}

/// The layer that verifies access tokens.
pub fn validating(verifier: Verifier, reuse: Reuse) -> AccessTokenLayer {
    let layer = AccessTokenLayer::new(verifier);
    match reuse {
        Reuse::Default => layer,
        Reuse::Little => layer.cache(LITTLE, ROOM),
    }
}

/// The layer that signs backend JWTs.
pub fn minting(keys: KeyRing, reuse: Reuse) -> BackendJwtLayer {
    let layer = BackendJwtLayer::new(keys).api(Api::new("orders", "1.0.0").base_path("/orders"));
    match reuse {
        Reuse::Default => layer,
        Reuse::Little => layer.cache(LITTLE, ROOM),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use bench_kit::{Provider, Requests, call};
    use tower_backend_jwt::TokenCache;

    #[test]
    fn to_a_cache_that_keeps_little_each_of_many_tokens_is_new_when_it_comes_back() {
        let provider = Provider::generate();
        let tokens = provider.tokens(400);
        let cache = TokenCache::new(LITTLE, ROOM);
        let layer = AccessTokenLayer::new(verifier(&provider.jwks())).token_cache(cache.clone());
        let (mut router, mut requests) = (router().layer(layer), Requests::new(&tokens));
        for _ in 0..3 * tokens.len() {
            let response = call(&mut router, requests.next_with::<Body>());
            assert_eq!(response.status(), StatusCode::OK);
        }
        let (misses, requests) = (cache.status().misses, 3 * tokens.len() as u64);
        assert!(misses * 100 >= requests * 98, "{misses} of {requests}");
    }
}
