//! Keys that are fetched, from a provider in this process.

use crate::cases::{NOW, verifier_of};
use axum::body::Body;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Request, Response, header::CONTENT_TYPE};
use std::convert::Infallible;
use tower::service_fn;
use tower_backend_jwt::{Issuer, Verifier};
use tower_jwks::{BytesBody, JwkSet, KeySource, ManualClock, RemoteJwks, SigningKey, UnixTime};

const ISSUER: &str = "https://idp.example.com/oauth2/token";

/// A verifier whose keys a task has fetched, and would fetch again.
pub(crate) fn verifier(provider: &SigningKey) -> Verifier {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .expect("a runtime starts");
    let set = JwkSet::new([provider.jwk().clone()]).expect("one key");
    let client = service_fn(move |_: Request<BytesBody>| {
        let body = Body::from(set.json().to_owned());
        let response = Response::builder().header(CONTENT_TYPE, "application/json");
        std::future::ready(Ok::<_, Infallible>(
            response.body(body).expect("a response"),
        ))
    });
    let keys = runtime.block_on(async {
        let keys = RemoteJwks::at(ISSUER, "https://idp.example.com/keys")
            .client(client)
            .clock(ManualClock::new(UnixTime::from_secs(NOW + 10)))
            .build()
            .expect("it has all it needs");
        keys.ready().await;
        keys
    });
    // It lives as long as the process, as that of a gateway does.
    std::mem::forget(runtime);
    verifier_of(Issuer::from_source(ISSUER, keys))
}

/// The token with a `kid` that nobody has.
pub(crate) fn forged(token: &str) -> String {
    let (_, rest) = token.split_once('.').expect("a JWS has two dots");
    let header =
        r#"{"alg":"RS256","typ":"at+jwt","kid":"gfc_IVbP-C6m1_Vrv9lmkj0kPPVL0gwOXQQDr7o_7fg"}"#;
    format!("{}.{rest}", BASE64_URL_SAFE_NO_PAD.encode(header))
}
