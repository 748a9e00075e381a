//! What is looked up about a caller: the application, and claims about the user.
//!
//! Tokio's time stands still in these tests, and goes on when all wait.

mod application;
mod source;
mod user_claims;

use http::{Request, StatusCode};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tests::{
    forge::{self, claims_of},
    keys::{key, ring},
    time::clock,
    upstream::{Answer, get, get_with, send, signed, upstream},
};
use tokio::time::sleep;
use tower::{ServiceBuilder, service_fn};
use tower_backend_jwt::{
    AccessTokenLayer, Api, Application, ApplicationLayer, ApplicationQuery, AuthType,
    BackendJwtLayer, Claims, Policy, Refusal, RefusalFormat, RefusalReason, Subscription,
    UserClaimsLayer, UserQuery,
};
use tower_jwks::Algorithm;

const ALGORITHM: Algorithm = Algorithm::EdDSA;
const P: &str = "http://wso2.org/claims/";

fn minting() -> BackendJwtLayer {
    BackendJwtLayer::new(ring(ALGORITHM))
        .clock(clock())
        .policy(Policy::wso2())
        .unwrap()
}

fn access() -> AccessTokenLayer {
    AccessTokenLayer::new(forge::verifier(key(ALGORITHM))).optional()
}

fn reason(answer: &Answer) -> RefusalReason {
    answer.head.extensions.get::<Refusal>().unwrap().reason()
}

async fn with_applications(layer: ApplicationLayer, request: Request<()>) -> Answer {
    let service = ServiceBuilder::new()
        .layer(access())
        .layer(layer)
        .layer(minting())
        .service(service_fn(upstream));
    send(&service, request).await
}

async fn with_claims(layer: UserClaimsLayer, request: Request<()>) -> Answer {
    let service = ServiceBuilder::new()
        .layer(access())
        .layer(layer)
        .layer(minting())
        .service(service_fn(upstream));
    send(&service, request).await
}

/// A token of the client `shop`.
fn of_shop() -> Request<()> {
    get_with(&signed(&json!({"client_id": "shop"})))
}

fn shop() -> Application {
    Application::new("7", "Web shop").with_tier("Gold")
}

/// How often a source was asked.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl Count {
    fn one_more(&self) -> usize {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
