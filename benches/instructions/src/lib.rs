//! The stacks whose instructions are counted, with tokens that are always the same, so that the counts are.

use axum::{Router, body::Body};
use bench_kit::{Requests, call};
use benches::{Reuse, minting, router, validating, verifier};
use http::{HeaderValue, Request, Response, StatusCode, header::ETAG};
use tower::ServiceBuilder;
use tower_backend_jwt::Verifier;
use tower_jwks::{Algorithm, JwksEndpoint, KeyRing};

/// Valid until the year 2100; made by `src/bin/fixtures.rs`, which has forgotten the keys.
pub const RS256: &str = include_str!("../fixtures/rs256.jwt");
/// As [`RS256`].
pub const ES256: &str = include_str!("../fixtures/es256.jwt");
const JWKS: &str = include_str!("../fixtures/jwks.json");

/// A service, and a request that it has not yet had.
pub struct Prepared<S, B> {
    pub service: S,
    pub request: Request<B>,
}

/// A request through a router.
pub type Routed = Prepared<Router, Body>;

/// A router that has served these tokens, and a request with another, or with one of them.
fn routed(mut router: Router, before: &[&str], token: &str) -> Routed {
    for token in before {
        let response = call(&mut router, request(token));
        assert_eq!(response.status(), StatusCode::OK);
    }
    Prepared {
        service: router,
        request: request(token),
    }
}

fn request(token: &str) -> Request<Body> {
    Requests::new(&[token.to_owned()]).next_with()
}

/// The router alone.
pub fn bare() -> Routed {
    routed(router(), &[RS256], RS256)
}

/// A token that was seen before.
pub fn warm_validate() -> Routed {
    let layer = validating(verifier(JWKS), Reuse::Default);
    routed(router().layer(layer), &[RS256, RS256], RS256)
}

/// A token that was seen before, and its backend JWT is there.
pub fn warm_validate_and_mint() -> Routed {
    let keys = KeyRing::generate(Algorithm::ES256).expect("aws-lc-rs generates EC keys");
    let layers = ServiceBuilder::new()
        .layer(validating(verifier(JWKS), Reuse::Default))
        .layer(minting(keys, Reuse::Default));
    let router = router().layer(layers.into_inner());
    routed(router, &[RS256, RS256], RS256)
}

/// A token that was not seen before; another was, so that there is a place for it.
pub fn cold_validate(token: &str) -> Routed {
    let layer = validating(verifier(JWKS), Reuse::Default);
    let other = if token == RS256 { ES256 } else { RS256 };
    routed(router().layer(layer), &[other, other], token)
}

/// A token that somebody without the key has changed.
pub fn forged() -> Routed {
    let (signed, signature) = RS256.rsplit_once('.').expect("a JWS has two dots");
    let (before, after) = signature.split_at(100);
    let forged = format!("{signed}.{before}AAAAAAAA{}", &after[8..]);
    let layer = validating(verifier(JWKS), Reuse::Default);
    routed(router().layer(layer), &[RS256, RS256], &forged)
}

/// A verifier, and a token whose key it does not have: all of a validation but the cryptography.
pub fn unknown_kid() -> (Verifier, String) {
    let (_, rest) = RS256.split_once('.').expect("a JWS has two dots");
    let (header, _) = ES256.split_once('.').expect("a JWS has two dots");
    let keys = JWKS.replace("\"kid\":\"es256\"", "\"kid\":\"other\"");
    let verifier = verifier(&keys);
    assert!(verifier.verify(RS256).is_ok());
    (verifier, format!("{header}.{rest}"))
}

/// The published keys, for a verifier that has them already, or not.
pub fn jwks(known: bool) -> Prepared<JwksEndpoint, ()> {
    let keys = KeyRing::generate(Algorithm::ES256).expect("aws-lc-rs generates EC keys");
    let mut service = JwksEndpoint::new(keys);
    let first: Response<_> = call(&mut service, benches::jwks_request::<()>(None));
    let tag: HeaderValue = first.headers()[ETAG].clone();
    let request = benches::jwks_request(known.then_some(&tag));
    Prepared { service, request }
}
