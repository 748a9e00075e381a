//! What every layer owes to the services around it and to those who debug it.

mod auto_traits;
mod debug;
mod errors;
mod readiness;
mod signing;

use http::{HeaderName, Request};
use tests::{
    forge,
    keys::{key, ring},
    time::clock,
};
use tower::{
    ServiceBuilder,
    layer::util::{Identity, Stack},
};
use tower_backend_jwt::{
    AccessTokenLayer, Api, Application, ApplicationLayer, ApplicationQuery, BackendJwtLayer,
    ChosenPolicy, Claims, Policy, PolicySet, StripHeaderLayer, UserClaimsLayer, UserQuery,
    VerifiedToken,
};
use tower_jwks::{Algorithm, JwksLayer};

/// All layers, in the order they are meant for.
type All = ServiceBuilder<
    Stack<
        StripHeaderLayer,
        Stack<
            BackendJwtLayer,
            Stack<
                UserClaimsLayer,
                Stack<ApplicationLayer, Stack<AccessTokenLayer, Stack<JwksLayer, Identity>>>,
            >,
        >,
    >,
>;

fn jwks() -> JwksLayer {
    JwksLayer::new(ring(Algorithm::ES256))
}

fn access_token() -> AccessTokenLayer {
    AccessTokenLayer::new(forge::verifier(key(Algorithm::ES256)))
}

fn backend_jwt() -> BackendJwtLayer {
    BackendJwtLayer::new(ring(Algorithm::ES256))
        .api(Api::new("orders", "1.0.0"))
        .clock(clock())
}

fn chosen() -> BackendJwtLayer<ChosenPolicy> {
    let policies = PolicySet::builder(ring(Algorithm::ES256))
        .clock(clock())
        .build();
    let api = Api::new("orders", "1.0.0");
    policies.set("orders", Policy::default(), api).unwrap();
    let orders = policies.get("orders").unwrap();
    BackendJwtLayer::from_policies(policies, orders)
}

/// What the sources know, and nobody else is to see.
const KNOWN: &str = "known-to-the-source";

fn application() -> ApplicationLayer {
    ApplicationLayer::new(async |_: ApplicationQuery| Ok(Some(Application::new("7", KNOWN))))
}

fn user_claims() -> UserClaimsLayer {
    UserClaimsLayer::new(async |_: UserQuery| Ok(Claims::new().with("name", KNOWN)?))
}

fn strip() -> StripHeaderLayer {
    StripHeaderLayer::new(HeaderName::from_static("x-userinfo"))
}

fn all() -> All {
    ServiceBuilder::new()
        .layer(jwks())
        .layer(access_token())
        .layer(application())
        .layer(user_claims())
        .layer(backend_jwt())
        .layer(strip())
}

fn verified() -> VerifiedToken {
    let key = key(Algorithm::ES256);
    forge::verifier(key).verify(&forge::token(key)).unwrap()
}

/// A request that each layer lets through, alone and with the others.
fn good<B>(body: B) -> Request<B> {
    let token = forge::token(key(Algorithm::ES256));
    Request::post("/orders")
        .header("authorization", format!("Bearer {token}"))
        .extension(verified())
        .body(body)
        .unwrap()
}

/// A request that each layer but [`strip`] answers itself, if it is the first to see it.
fn answered<B>(body: B) -> Request<B> {
    Request::get("/.wellknown/jwks").body(body).unwrap()
}
