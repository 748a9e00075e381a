//! One stack, in axum, in hyper and in tonic, over real sockets; and among the layers of others.

mod axum_router;
mod composed;
mod hyper_server;
mod tonic_server;

use tests::{
    forge,
    keys::{key, ring},
    time::clock,
};
use tower::{
    ServiceBuilder,
    layer::util::{Identity, Stack},
};
use tower_backend_jwt::{AccessTokenLayer, Api, BackendJwtLayer};
use tower_jwks::{Algorithm, JwksLayer};

/// The three layers, in their order.
type Layers = Stack<BackendJwtLayer, Stack<AccessTokenLayer, Stack<JwksLayer, Identity>>>;

fn layers() -> ServiceBuilder<Layers> {
    let keys = ring(Algorithm::EdDSA);
    ServiceBuilder::new()
        .layer(JwksLayer::new(keys.clone()))
        .layer(AccessTokenLayer::new(forge::verifier(key(
            Algorithm::EdDSA,
        ))))
        .layer(
            BackendJwtLayer::new(keys)
                .clock(clock())
                .api(Api::new("orders", "1.0.0")),
        )
}
