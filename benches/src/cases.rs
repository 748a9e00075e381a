//! What is measured.

use crate::{fetched, rotating};
use axum::{
    Router,
    body::Body,
    response::IntoResponse,
    routing::{Route, get},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{Request, StatusCode, header::AUTHORIZATION, request::Parts};
use std::{cell::RefCell, convert::Infallible, hint::black_box, time::Duration};
use tower::{Layer, Service};
use tower_backend_jwt::{
    AccessTokenLayer, Api, Application, ApplicationLayer, ApplicationQuery, BackendJwtLayer,
    ChosenPolicy, Issuer, IssuerBuilder, Policy, PolicySet, Subscription, VerifiedToken, Verifier,
};
use tower_jwks::{Algorithm, JwkSet, KeyRing, ManualClock, SigningKey, UnixTime};

/// One thing to measure, and what it is to be held against.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) against: Option<&'static str>,
    pub(crate) run: Box<dyn Fn()>,
}

pub(crate) const NOW: u64 = 1_700_000_000;

/// The claims of a WSO2 key manager's access token, with padding to an everyday size.
fn claims() -> String {
    format!(
        r#"{{"sub":"11f53c32-f8ac-4810-bb79-615b2184baf5","aut":"APPLICATION_USER","iss":"https://idp.example.com/oauth2/token","client_id":"IMJB5ZiR1dHQYBdiMIRAGis1WToa","aud":["orders","IMJB5ZiR1dHQYBdiMIRAGis1WToa"],"nbf":{NOW},"azp":"IMJB5ZiR1dHQYBdiMIRAGis1WToa","org_id":"b554e001-761c-4d3a-a7a6-a61d73d34221","scope":"email openid profile orders:read orders:write","exp":{exp},"org_name":"test","iat":{NOW},"email":"testmail@example.com","jti":"69558555-d386-4a81-9ca0-0a23f809cd3c","groups":["{groups}"]}}"#,
        exp = NOW + 3600,
        groups = "engineering\",\"".repeat(22) + "all"
    )
}

fn sign(key: &SigningKey) -> String {
    key.sign_jws("at+jwt", claims().as_bytes())
        .expect("a generated key signs")
}

pub(crate) fn all() -> Vec<Case> {
    let provider = SigningKey::generate(Algorithm::RS256).expect("aws-lc-rs generates RSA keys");
    let token = sign(&provider);
    println!("one RS256 2048 token of {} bytes", token.len());

    let mut cases = Vec::new();
    let mut case = |name, against, run: Box<dyn Fn()>| cases.push(Case { name, against, run });

    let (signed, signature) = token.rsplit_once('.').expect("a JWS has two dots");
    let (signed, signature) = (
        signed.to_owned(),
        BASE64_URL_SAFE_NO_PAD
            .decode(signature)
            .expect("just encoded"),
    );
    let public = provider.verifying_key();
    case(
        "raw-verify-rs256",
        None,
        Box::new(move || {
            public
                .verify(black_box(signed.as_bytes()), black_box(&signature))
                .expect("just signed");
        }),
    );
    let verifier = verifier(&provider);
    let text = token.clone();
    let verify = verifier.clone();
    case(
        "verifier-rs256",
        Some("raw-verify-rs256"),
        Box::new(move || {
            black_box(verify.verify(black_box(&text)).expect("valid"));
        }),
    );
    case("bare", None, request(router(), &token));
    case(
        "cold-validate-rs256",
        Some("raw-verify-rs256"),
        request(
            router().layer(AccessTokenLayer::new(verifier.clone())),
            &token,
        ),
    );
    let fetched = fetched::verifier(&provider);
    let forged = fetched::forged(&token);
    let (with_fetched, text) = (fetched.clone(), token.clone());
    case(
        "verifier-fetched-rs256",
        Some("verifier-rs256"),
        Box::new(move || {
            black_box(with_fetched.verify(black_box(&text)).expect("valid"));
        }),
    );
    case(
        "forged-unknown-kid",
        Some("raw-verify-rs256"),
        Box::new(move || {
            fetched
                .verify(black_box(&forged))
                .expect_err("its key is unknown");
        }),
    );

    for (algorithm, raw, minted) in [
        (Algorithm::RS256, "raw-sign-rs256", "cold-mint-rs256"),
        (Algorithm::ES256, "raw-sign-es256", "cold-mint-es256"),
        (Algorithm::EdDSA, "raw-sign-eddsa", "cold-mint-eddsa"),
    ] {
        let keys = KeyRing::generate(algorithm).expect("aws-lc-rs generates every kind");
        let key = keys.signing_key().expect("the ring has a key");
        // As many bytes as the backend JWT's first two parts have.
        let message = vec![b'a'; 1600];
        case(
            raw,
            None,
            Box::new(move || {
                black_box(
                    key.sign(black_box(&message))
                        .expect("a generated key signs"),
                );
            }),
        );
        let token = verifier.verify(&token).expect("valid");
        let layer = minting(keys).no_cache();
        case(minted, Some(raw), with_token(layer, token));
    }
    let keys = KeyRing::generate(Algorithm::RS256).expect("aws-lc-rs generates RSA keys");
    let verified = verifier.verify(&token).expect("valid");
    case(
        "warm-mint-rs256",
        Some("bare"),
        with_token(minting(keys.clone()), verified.clone()),
    );
    case(
        "warm-mint-of-a-set",
        Some("warm-mint-rs256"),
        with_token(of_a_set(keys.clone()), verified.clone()),
    );
    case(
        "warm-mint-with-application",
        Some("warm-mint-rs256"),
        with_token((applications(), minting(keys.clone())), verified.clone()),
    );
    let rotating = rotating::ring();
    case(
        "warm-mint-of-a-ring",
        Some("warm-mint-rs256"),
        with_token(minting(rotating.clone()), verified),
    );
    case("jwks", None, rotating::published(keys));
    case(
        "jwks-of-a-ring",
        Some("jwks"),
        rotating::published(rotating),
    );
    cases
}

fn verifier(provider: &SigningKey) -> Verifier {
    let keys = JwkSet::new([provider.jwk().clone()]).expect("one key");
    let issuer: IssuerBuilder = Issuer::from_jwks("https://idp.example.com/oauth2/token", keys);
    verifier_of(issuer)
}

pub(crate) fn verifier_of(issuer: IssuerBuilder) -> Verifier {
    let issuer = issuer
        .audience("orders")
        .build()
        .expect("it has all it needs");
    Verifier::builder()
        .issuer(issuer)
        .clock(ManualClock::new(UnixTime::from_secs(NOW + 10)))
        .build()
        .expect("one issuer")
}

fn minting(keys: KeyRing) -> BackendJwtLayer {
    BackendJwtLayer::new(keys)
        .clock(ManualClock::new(UnixTime::from_secs(NOW + 10)))
        .api(Api::new("orders", "1.0.0").base_path("/orders"))
}

/// One of a thousand APIs, by the path.
fn of_a_set(keys: KeyRing) -> BackendJwtLayer<ChosenPolicy> {
    let policies = PolicySet::builder(keys)
        .clock(ManualClock::new(UnixTime::from_secs(NOW + 10)))
        .build();
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

fn router() -> Router {
    Router::new().route("/orders", get(|| async { StatusCode::OK }))
}

/// A request with the token through a router.
fn request(router: Router, token: &str) -> Box<dyn Fn()> {
    let value = http::HeaderValue::try_from(format!("Bearer {token}")).expect("visible ASCII");
    drive(router, move || {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static("/orders");
        request.headers_mut().insert(AUTHORIZATION, value.clone());
        request
    })
}

/// A request that was validated before, through a router that mints.
fn with_token<L>(layer: L, token: VerifiedToken) -> Box<dyn Fn()>
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request<Body>>>::Future: Send + 'static,
{
    drive(router().layer(layer), move || {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = http::Uri::from_static("/orders");
        request.extensions_mut().insert(token.clone());
        request
    })
}

fn drive(router: Router, request: impl Fn() -> Request<Body> + 'static) -> Box<dyn Fn()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime starts");
    let router = RefCell::new(router);
    Box::new(move || {
        let future = router.borrow_mut().call(request());
        let response = runtime.block_on(future).expect("a router never fails");
        assert_eq!(response.status(), StatusCode::OK);
    })
}
