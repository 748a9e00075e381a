//! Keys that are fetched, from a provider in this process.

use crate::{background::runtime, stacks::verifier_of};
use axum::body::Body;
use bench_kit::ISSUER;
use http::{Request, Response, header::CONTENT_TYPE};
use std::convert::Infallible;
use tower::service_fn;
use tower_backend_jwt::{Issuer, Verifier};
use tower_jwks::{BytesBody, KeySource, RemoteJwks};

/// A verifier whose keys a task has fetched, and would fetch again.
pub(crate) fn verifier(jwks: String) -> Verifier {
    let client = service_fn(move |_: Request<BytesBody>| {
        let response = Response::builder().header(CONTENT_TYPE, "application/json");
        let response = response.body(Body::from(jwks.clone()));
        std::future::ready(Ok::<_, Infallible>(response.expect("a response")))
    });
    let keys = runtime().block_on(async {
        let keys = RemoteJwks::at(ISSUER, "https://idp.example.com/keys")
            .client(client)
            .build()
            .expect("it has all it needs");
        keys.ready().await;
        keys
    });
    verifier_of(Issuer::from_source(ISSUER, keys))
}
