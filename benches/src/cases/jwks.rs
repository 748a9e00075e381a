//! The published keys, beside the same answer from a service that knows nothing.

use super::keys::OwnKey;
use crate::{StaticKeys, jwks_request, rotating};
use axum::{Router, body::Body};
use bench_kit::{Case, call};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header::ETAG};
use std::convert::Infallible;
use tower::Service;
use tower_jwks::JwksEndpoint;

pub(super) fn cases(key: &OwnKey) -> Vec<Case> {
    let keys = key.ring.published().expect("a ring with a key");
    let ours = JwksEndpoint::new(key.ring.clone());
    let tag = call(&mut ours.clone(), jwks_request::<()>(None)).headers()[ETAG].clone();
    let others = StaticKeys::new(Bytes::from(keys.json().to_owned()), tag.clone());
    let of_a_ring = JwksEndpoint::new(rotating::ring());
    let path = "/.well-known/jwks.json";
    let routed = Router::new().route_service(path, ours.clone());
    let others_routed = Router::new().route_service(path, others.clone());
    let tag = Some(tag);
    vec![
        leaf("jwks-static", others.clone(), None),
        leaf("jwks", ours.clone(), None).times(&["jwks-static"]),
        leaf("jwks-of-a-ring", of_a_ring, None).times(&["jwks"]),
        route("jwks-route-static", others_routed),
        route("jwks-route", routed).times(&["jwks-route-static"]),
        leaf("jwks-304-static", others, tag.clone()),
        leaf("jwks-304", ours, tag).times(&["jwks-304-static"]),
    ]
}

/// The service itself.
fn leaf<S, Res>(name: &'static str, mut service: S, tag: Option<HeaderValue>) -> Case
where
    S: Service<Request<()>, Response = Response<Res>, Error = Infallible> + 'static,
{
    let status = match tag {
        Some(_) => StatusCode::NOT_MODIFIED,
        None => StatusCode::OK,
    };
    Case::new(name, move || {
        let response = call(&mut service, jwks_request::<()>(tag.as_ref()));
        assert_eq!(response.status(), status);
    })
}

/// The service as a route of a router.
fn route(name: &'static str, mut router: Router) -> Case {
    Case::new(name, move || {
        let response = call(&mut router, jwks_request::<Body>(None));
        assert_eq!(response.status(), StatusCode::OK);
    })
}
