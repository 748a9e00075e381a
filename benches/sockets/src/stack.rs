//! The layers by themselves, around a service that does nothing.

use crate::{
    Fault,
    tokens::{AUDIENCE, Provider},
};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header::AUTHORIZATION};
use std::{
    convert::Infallible,
    future::{Ready, ready},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};
use tower::{Layer, Service};
use tower_backend_jwt::{
    AccessToken, AccessTokenLayer, Api, BackendJwt, BackendJwtLayer, Issuer, Verifier,
};
use tower_jwks::{Algorithm, KeyRing};

/// The service behind. It remembers which backend JWT it saw last, if it is to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leaf {
    seen: Option<Arc<AtomicU64>>,
}

pub(crate) type Stack = AccessToken<BackendJwt<Leaf>>;

/// What a cache may hold: entries and bytes.
pub(crate) type Bounds = (usize, u64);

/// The bounds that the layers have by default.
pub(crate) const DEFAULT_BOUNDS: Bounds = (10_000, 64 << 20);

impl Leaf {
    pub(crate) fn remembering(seen: &Arc<AtomicU64>) -> Self {
        Self {
            seen: Some(Arc::clone(seen)),
        }
    }
}

impl Service<Request<()>> for Leaf {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        const FIELD: HeaderName = HeaderName::from_static("x-jwt-assertion");
        if let Some(seen) = &self.seen {
            let mut hasher = DefaultHasher::new();
            let jwt = request.headers().get(FIELD);
            jwt.map(HeaderValue::as_bytes).hash(&mut hasher);
            seen.store(hasher.finish(), Ordering::Relaxed);
        }
        ready(Ok(Response::new(())))
    }
}

pub(crate) fn verifier<'p>(
    providers: impl IntoIterator<Item = &'p Provider>,
) -> Result<Verifier, Fault> {
    let mut verifier = Verifier::builder();
    for provider in providers {
        let issuer = Issuer::from_jwks(provider.name(), provider.jwks()?).audience(AUDIENCE);
        verifier = verifier.issuer(issuer.build()?);
    }
    Ok(verifier.build()?)
}

/// A layer that signs with a key of its own. No bounds: what is minted is not kept.
pub(crate) fn minting(
    algorithm: Algorithm,
    bounds: Option<Bounds>,
) -> Result<BackendJwtLayer, Fault> {
    let layer = BackendJwtLayer::new(KeyRing::generate(algorithm)?)
        .api(Api::new("orders", "1.0.0").base_path("/orders"));
    Ok(match bounds {
        Some((entries, bytes)) => layer.cache(entries, bytes),
        None => layer.no_cache(),
    })
}

/// A layer that remembers this many tokens, or none.
pub(crate) fn validating(verifier: &Verifier, bounds: Option<Bounds>) -> AccessTokenLayer {
    let layer = AccessTokenLayer::new(verifier.clone());
    match bounds {
        Some((entries, bytes)) => layer.cache(entries, bytes),
        None => layer.no_cache(),
    }
}

/// Both layers.
pub(crate) fn both(validating: &AccessTokenLayer, minting: &BackendJwtLayer, leaf: Leaf) -> Stack {
    validating.layer(minting.layer(leaf))
}

/// The value of the field that the token comes in.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, Fault> {
    Ok(HeaderValue::try_from(format!("Bearer {token}"))?)
}

pub(crate) fn request(bearer: HeaderValue) -> Request<()> {
    let mut request = Request::new(());
    // Parsed once: whoever serves parses it, and not the layers.
    static PATH: LazyLock<Uri> = LazyLock::new(|| Uri::from_static("/orders"));
    request.uri_mut().clone_from(&PATH);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    request
}

/// A request through the layers, without a runtime: only a signature is waited for.
pub(crate) fn call<S, B>(service: &mut S, bearer: &HeaderValue) -> StatusCode
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    bench_kit::call(service, request(bearer.clone())).status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_a_token_comes_through_and_a_backend_jwt_is_used_again_if_it_is_kept() {
        let provider = Provider::new("https://idp.example.com", Algorithm::EdDSA).unwrap();
        let verifier = verifier([&provider]).unwrap();
        let token = bearer(&provider.token(1, 0).unwrap()).unwrap();
        for (bounds, again) in [(Some(DEFAULT_BOUNDS), true), (None, false)] {
            let seen = Arc::default();
            let mint = minting(Algorithm::EdDSA, bounds).unwrap();
            let leaf = Leaf::remembering(&seen);
            let mut stack = both(&validating(&verifier, bounds), &mint, leaf);
            assert_eq!(call(&mut stack, &token), 200);
            let first = seen.load(Ordering::Relaxed);
            assert_eq!(call(&mut stack, &token), 200);
            assert_eq!(seen.load(Ordering::Relaxed) == first, again);
            assert_eq!(call(&mut stack, &bearer("a.b.c").unwrap()), 401);
        }
    }
}
