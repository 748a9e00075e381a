//! The published keys over HTTP.

mod conditional;
mod frameworks;
mod limits;
mod metadata;
mod pass_through;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use serde_json::Value;
use std::convert::Infallible;
use tests::{
    body,
    echo::Echo,
    keys::{key, new_key, ring},
};
use tower::{Layer, Service, ServiceExt};
use tower_jwks::{
    Algorithm, Jwk, JwkSet, JwksEndpoint, JwksLayer, KeyRing, MediaType, PublishKeys,
};

const WSO2: &str = "/.wellknown/jwks";
const WELL_KNOWN: &str = "/.well-known/jwks.json";

/// What a request was answered.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// The only value of a field; empty if there is none.
    fn field(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).into_iter();
        let value = values.next().map_or("", |value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What a service answers to a request with these fields.
async fn ask<S, B>(service: S, method: Method, uri: &str, fields: &[(&str, &str)]) -> Answer
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes>,
{
    let request = fields
        .iter()
        .fold(Request::builder(), |request, (name, value)| {
            request.header(*name, *value)
        });
    let request = request.method(method).uri(uri).body(()).unwrap();
    let Ok(response) = service.oneshot(request).await;
    let (head, body) = response.into_parts();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body::read(body).await,
    }
}

async fn get<S, B>(service: S, uri: &str, fields: &[(&str, &str)]) -> Answer
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes>,
{
    ask(service, Method::GET, uri, fields).await
}

/// A layer with these keys, around an echo.
fn served(keys: impl PublishKeys) -> tower_jwks::Jwks<Echo> {
    JwksLayer::new(keys).layer(Echo::new())
}

#[tokio::test]
async fn both_default_paths_give_the_published_set() {
    let ring = ring(Algorithm::ES256);
    for path in [WSO2, WELL_KNOWN] {
        let answer = get(served(ring.clone()), path, &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.body, ring.published().unwrap().json());
        assert_eq!(answer.field("content-type"), "application/json");
        assert_eq!(
            answer.field("content-length"),
            answer.body.len().to_string()
        );
        assert_eq!(answer.field("cache-control"), "public, max-age=600");
        assert_eq!(answer.field("x-content-type-options"), "nosniff");
        assert_eq!(answer.field("access-control-allow-origin"), "*");
        assert_eq!(answer.field("access-control-expose-headers"), "etag");
        assert_eq!(answer.field("access-control-allow-credentials"), "");
        assert_eq!(answer.field("vary"), "accept");
        let etag = answer.field("etag");
        assert!(etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"'));
    }
}

#[tokio::test]
async fn an_rsa_key_has_the_members_of_wso2s_sample_and_no_other() {
    let answer = get(served(ring(Algorithm::RS256)), WSO2, &[]).await;
    let document = answer.json();
    let [name] = &document.as_object().unwrap().keys().collect::<Vec<_>>()[..] else {
        panic!("a set has one member: {document}");
    };
    assert_eq!(*name, "keys");
    let keys = document["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    let mut names: Vec<&String> = keys[0].as_object().unwrap().keys().collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "e", "kid", "kty", "n", "use"]);
    for (name, value) in [
        ("kty", "RSA"),
        ("e", "AQAB"),
        ("use", "sig"),
        ("alg", "RS256"),
    ] {
        assert_eq!(keys[0][name], value);
    }
}

#[tokio::test]
async fn the_answer_holds_every_key_of_the_ring() {
    let ring = KeyRing::builder(new_key(Algorithm::ES384))
        .publish(key(Algorithm::ES256))
        .publish(key(Algorithm::EdDSA))
        .build()
        .unwrap();
    let answer = get(served(ring), WELL_KNOWN, &[]).await;
    let set = JwkSet::parse(&answer.body).unwrap();
    assert_eq!(set.left_out(), []);
    let algorithms: Vec<_> = set.keys().iter().filter_map(Jwk::algorithm).collect();
    let expected = [Algorithm::ES384, Algorithm::ES256, Algorithm::EdDSA];
    assert_eq!(algorithms, expected);
}

#[tokio::test]
async fn head_says_what_get_says_without_the_body() {
    for fields in [&[][..], &[("accept", "application/jwk-set+json")]] {
        let service = served(ring(Algorithm::ES256));
        let get = get(service.clone(), WSO2, fields).await;
        let head = ask(service, Method::HEAD, WSO2, fields).await;
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(head.headers, get.headers);
        assert_eq!(head.body, "");
        assert!(!get.body.is_empty());
    }
}

#[tokio::test]
async fn options_is_answered_for_every_origin() {
    let preflight = [
        ("origin", "https://app.example.com"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "if-none-match"),
    ];
    for fields in [&[][..], &preflight] {
        let answer = ask(
            served(ring(Algorithm::ES256)),
            Method::OPTIONS,
            WSO2,
            fields,
        )
        .await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(answer.field("allow"), "GET, HEAD, OPTIONS");
        assert_eq!(answer.field("access-control-allow-origin"), "*");
        assert_eq!(answer.field("access-control-allow-methods"), "GET, HEAD");
        assert_eq!(answer.field("access-control-allow-headers"), "*");
        assert_eq!(answer.field("access-control-allow-credentials"), "");
        assert_eq!(answer.body, "");
    }
}

#[tokio::test]
async fn another_method_is_not_allowed_and_is_told_which_are() {
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "QUERY", "get"] {
        let echo = Echo::new();
        let service = JwksLayer::new(ring(Algorithm::ES256)).layer(echo.clone());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let answer = ask(service, method.clone(), WELL_KNOWN, &[]).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(answer.field("allow"), "GET, HEAD, OPTIONS");
        assert_eq!(answer.field("etag"), "");
        assert_eq!(answer.body, "");
        assert_eq!(echo.count(), 0, "{method} reached the service behind");
    }
}

#[tokio::test]
async fn the_media_type_is_the_one_that_is_asked_for_or_else_the_one_that_was_chosen() {
    let (json, jwk_set) = ("application/json", "application/jwk-set+json");
    for (accept, by_default, chosen) in [
        ("", json, jwk_set),
        ("*/*", json, jwk_set),
        ("application/*", json, jwk_set),
        ("text/html", json, jwk_set),
        (json, json, json),
        (jwk_set, jwk_set, jwk_set),
        ("application/json, application/jwk-set+json", json, json),
        (
            "application/jwk-set+json, application/json",
            jwk_set,
            jwk_set,
        ),
        (
            "application/jwk-set+json;q=0.1, application/json",
            json,
            json,
        ),
        ("application/jwk-set+json;q=0, */*", json, jwk_set),
    ] {
        let layer = JwksLayer::new(ring(Algorithm::ES256));
        for (media_type, expected) in [(MediaType::Json, by_default), (MediaType::JwkSet, chosen)] {
            let service = layer.clone().media_type(media_type).layer(Echo::new());
            let answer = get(service, WSO2, &[("accept", accept)]).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.field("content-type"), expected, "{accept}");
            assert_eq!(answer.field("vary"), "accept");
        }
    }
}

#[tokio::test]
async fn an_endpoint_answers_as_the_layer_does_whatever_the_path() {
    let ring = ring(Algorithm::EdDSA);
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST] {
        let endpoint = JwksEndpoint::new(ring.clone());
        let expected = ask(served(ring.clone()), method.clone(), WSO2, &[]).await;
        for path in ["/", "/keys", "/a/b?c"] {
            let answer = ask(endpoint.clone(), method.clone(), path, &[]).await;
            assert_eq!(answer.status, expected.status, "{method}");
            assert_eq!(answer.headers, expected.headers, "{method}");
            assert_eq!(answer.body, expected.body, "{method}");
        }
    }
    let endpoint = JwksEndpoint::new(ring).media_type(MediaType::JwkSet);
    let answer = get(endpoint, "/", &[]).await;
    assert_eq!(answer.field("content-type"), "application/jwk-set+json");
}

#[tokio::test]
async fn a_set_can_be_published_without_the_keys_that_sign() {
    let set = JwkSet::new([key(Algorithm::ES256).jwk().clone()]).unwrap();
    let answer = get(JwksEndpoint::new(set.clone()), "/", &[]).await;
    assert_eq!(answer.body, set.json());
}
