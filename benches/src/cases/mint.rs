//! Backend JWTs: new ones, and those that are used again.

use super::keys::OwnKey;
use crate::{Reuse, background, minting, rotating, router, served, validating, verifier};
use axum::{body::Body, response::IntoResponse, routing::Route};
use bench_kit::{Case, Provider, call, raw_sign, through, to_the_route};
use http::{HeaderName, Request, Response, StatusCode, request::Parts};
use std::{convert::Infallible, future::ready, hint::black_box, time::Duration};
use tower::{Layer, Service, ServiceBuilder, layer::util::Identity, service_fn};
use tower_backend_jwt::{
    Api, Application, ApplicationLayer, ApplicationQuery, BackendJwtLayer, ChosenPolicy, Claims,
    Policy, PolicySet, Subscription, VerifiedToken,
};
use tower_jwks::{Algorithm, KeyRing};

const FIELD: HeaderName = HeaderName::from_static("x-jwt-assertion");

type Rows = &'static [&'static str];

/// The names of the rows of an algorithm: the bare signature, a backend JWT alone, and with the validation.
const fn names(algorithm: Algorithm) -> [&'static str; 3] {
    match algorithm {
        Algorithm::RS256 => [
            "raw-sign-rs256",
            "cold-mint-rs256",
            "cold-validate-and-mint-rs256",
        ],
        Algorithm::ES256 => [
            "raw-sign-es256",
            "cold-mint-es256",
            "cold-validate-and-mint-es256",
        ],
        Algorithm::EdDSA => [
            "raw-sign-eddsa",
            "cold-mint-eddsa",
            "cold-validate-and-mint-eddsa",
        ],
        _ => panic!("it is not measured"),
    }
}

/// What they are held against.
const fn floors(algorithm: Algorithm) -> (Rows, Rows) {
    match algorithm {
        Algorithm::RS256 => (&["raw-sign-rs256"], &["raw-verify-rs256", "raw-sign-rs256"]),
        Algorithm::ES256 => (&["raw-sign-es256"], &["raw-verify-rs256", "raw-sign-es256"]),
        Algorithm::EdDSA => (&["raw-sign-eddsa"], &["raw-verify-rs256", "raw-sign-eddsa"]),
        _ => panic!("it is not measured"),
    }
}

/// Tokens that were not seen before, one after the other.
pub(super) fn cold(provider: &Provider, tokens: &[String], keys: &[OwnKey]) -> Vec<Case> {
    let verifier = verifier(&provider.jwks());
    let verified: Vec<VerifiedToken> = tokens
        .iter()
        .map(|token| verifier.verify(token).expect("it is valid"))
        .collect();
    let mut cases = Vec::new();
    for key in keys {
        let [raw, mint, both] = names(key.algorithm);
        let (floor, floors) = floors(key.algorithm);
        let minting = || minting(key.ring.clone(), Reuse::Little);
        let jwt = minted(&minting(), verified[0].clone());
        cases.push(raw_sign(raw, &key.der, &jwt));
        let alone = alone(mint, key.ring.clone(), verified.clone()).times(floor);
        cases.push(match key.algorithm {
            Algorithm::RS256 => alone.budget(1.02),
            _ => alone,
        });
        let layers = ServiceBuilder::new()
            .layer(validating(verifier.clone(), Reuse::Little))
            .layer(minting());
        let router = served(router().layer(layers.into_inner()));
        cases.push(through::<_, Body, _>(both, router, tokens, StatusCode::OK).times(floors));
    }
    cases
}

/// A token that comes again and again.
pub(super) fn warm(provider: &Provider, token: &String, key: &OwnKey) -> Vec<Case> {
    let verifier = verifier(&provider.jwks());
    let minting = |keys| minting(keys, Reuse::Default);
    let layers = ServiceBuilder::new()
        .layer(validating(verifier.clone(), Reuse::Default))
        .layer(minting(key.ring.clone()));
    let router = served(router().layer(layers.into_inner()));
    let both = through::<_, Body, _>(
        "warm-validate-and-mint",
        router,
        std::slice::from_ref(token),
        StatusCode::OK,
    );

    let token = verifier.verify(token).expect("it is valid");
    let applications = (applications(), minting(key.ring.clone()));
    let passed_on = routed("bare-validated", Identity::new(), &token);
    let mint = routed("warm-mint", minting(key.ring.clone()), &token);
    let of_a_set = routed("warm-mint-of-a-set", of_a_set(key.ring.clone()), &token);
    let application = routed("warm-mint-with-application", applications, &token);
    let of_a_ring = routed("warm-mint-of-a-ring", minting(rotating::ring()), &token);
    vec![
        both.more_than(&["bare"]).budget(350.0).allocations(6.0),
        passed_on,
        mint.more_than(&["bare-validated"]),
        of_a_set.times(&["warm-mint"]),
        application.times(&["warm-mint"]),
        of_a_ring.times(&["warm-mint"]),
    ]
}

/// A backend JWT made and signed, without a request.
fn alone(name: &'static str, keys: KeyRing, tokens: Vec<VerifiedToken>) -> Case {
    let policies = PolicySet::new(keys);
    let api = Api::new("orders", "1.0.0").base_path("/orders");
    policies
        .set("orders", Policy::default(), api)
        .expect("a sound policy");
    let policy = policies.get("orders").expect("it was set");
    let (none, mut next) = (Claims::new(), (0..tokens.len()).cycle());
    Case::new(name, move || {
        let token = &tokens[next.next().expect("it has no end")];
        black_box(policy.sign(black_box(token), None, &none)).expect("a valid token");
    })
}

/// What the layer tells the service of this caller.
fn minted(layer: &BackendJwtLayer, token: VerifiedToken) -> String {
    let mut service = layer.layer(service_fn(|request: Request<()>| {
        let value = request.headers()[FIELD].clone();
        // Under another name: the layer takes its own off responses too.
        let response = Response::builder().header("seen", value).body(());
        ready(Ok::<_, Infallible>(response.expect("a response")))
    }));
    let mut request = to_the_route(());
    request.extensions_mut().insert(token);
    let response = call(&mut service, request);
    let jwt = response.headers()["seen"].to_str();
    jwt.expect("base64url and dots").to_owned()
}

/// A request that was validated before, through a router.
fn routed<L>(name: &'static str, layer: L, token: &VerifiedToken) -> Case
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request<Body>>>::Future: Send + 'static,
{
    let (mut router, token) = (served(router().layer(layer)), token.clone());
    let request = move || {
        let mut request = to_the_route(Body::empty());
        request.extensions_mut().insert(token.clone());
        request
    };
    // The first waits for what is asked of a source.
    let first = background::runtime().block_on(router.call(request()));
    assert_eq!(first.expect("infallible").status(), StatusCode::OK);
    Case::new(name, move || {
        let response = call(&mut router, request());
        assert_eq!(response.status(), StatusCode::OK);
    })
}

/// One of a thousand APIs, by the path.
fn of_a_set(keys: KeyRing) -> BackendJwtLayer<ChosenPolicy> {
    let policies = PolicySet::builder(keys).build();
    let apis = (0..1000).map(|number| match number {
        0 => "orders".to_owned(),
        number => format!("api {number}"),
    });
    policies
        .replace(apis.map(|name| (name.clone(), Policy::default(), Api::new(name, "1.0.0"))))
        .expect("sound policies");
    BackendJwtLayer::from_policies(policies, |policies: &PolicySet, request: &Parts| {
        policies.get(request.uri.path().split('/').nth(1)?)
    })
}

/// What it knows is remembered after the first request.
fn applications() -> ApplicationLayer {
    let source = async |query: ApplicationQuery| {
        let application = Application::new("7", query.client_id()).with_tier("Gold");
        Ok(Some(application.with_subscription(Subscription::Active)))
    };
    ApplicationLayer::new(source)
        .api(Api::new("orders", "1.0.0"))
        .fresh_for(Duration::from_secs(3600))
        .require_subscription()
}
