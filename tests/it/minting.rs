//! What the service behind is told, and what it never sees.

mod claims;
mod compatibility;
mod field;
mod minimal;
mod policy;
mod policy_set;
mod presets;
mod refused;
mod remaining_life;
mod renewal;
mod reuse;
mod signed_by_hand;
mod together;

use http::{HeaderName, Request, StatusCode, request::Parts};
use serde_json::{Value, json};
use std::time::Duration;
use tests::{
    forge::{self, claims_of, header_of, issuer_builder},
    keys::{key, new_key, ring, unattended},
    openssl,
    time::{NOW, clock},
    upstream::{Answer, get, get_with, send, signed, upstream},
};
use tower::{ServiceBuilder, service_fn};
use tower_backend_jwt::{
    AccessTokenLayer, Api, Application, BackendJwtLayer, ClaimType, Claims, CopiedClaims,
    CustomClaim, Policy, Refusal, RefusalReason, VerifiedToken, Verifier,
};
use tower_jwks::{Algorithm, KeyRing, ManualClock};

const ALGORITHM: Algorithm = Algorithm::EdDSA;
const P: &str = "http://wso2.org/claims/";

fn minting() -> BackendJwtLayer {
    BackendJwtLayer::new(ring(ALGORITHM))
        .clock(clock())
        .api(Api::new("Orders", "1.0.0").base_path("/shop/orders"))
}

async fn ask(layer: BackendJwtLayer, request: Request<()>) -> Answer {
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))).optional())
        .layer(layer)
        .service(service_fn(upstream));
    send(&service, request).await
}

/// The claims of the backend JWT for a token with these changes.
async fn minted(layer: BackendJwtLayer, changes: Value) -> Value {
    claims_of(&ask(layer, get_with(&signed(&changes))).await.backend_jwt())
}

fn with_policy(policy: Policy) -> BackendJwtLayer {
    minting().policy(policy).unwrap()
}
