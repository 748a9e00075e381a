//! Entity tags, and bytes that are rendered once.

use super::{WELL_KNOWN, WSO2, ask, get, served};
use http::{Method, Request, StatusCode};
use http_body::Body;
use std::{collections::HashSet, pin::Pin, task::Context};
use tests::keys::{new_key, ring};
use tower::ServiceExt;
use tower_jwks::{Algorithm, JwksEndpoint, KeyRing};

const JWK_SET: (&str, &str) = ("accept", "application/jwk-set+json");

#[tokio::test]
async fn a_set_that_is_known_is_not_sent_again() {
    let service = served(ring(Algorithm::ES256));
    for accept in [("accept", "*/*"), JWK_SET] {
        let full = get(service.clone(), WSO2, &[accept]).await;
        let tag = full.field("etag");
        for (tags, known) in [
            (tag.to_owned(), true),
            (format!("W/{tag}"), true),
            (format!("\"other\", {tag}"), true),
            (format!("\"other\",W/{tag} , \"more\""), true),
            ("*".to_owned(), true),
            ("\"other\"".to_owned(), false),
            (tag.trim_matches('"').to_owned(), false),
            (tag.to_uppercase(), false),
            (format!("w/{tag}"), false),
            (String::new(), false),
        ] {
            for method in [Method::GET, Method::HEAD] {
                let fields = [accept, ("if-none-match", &tags)];
                let answer = ask(service.clone(), method.clone(), WSO2, &fields).await;
                if known {
                    assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{tags}");
                    assert_eq!(answer.body, "");
                    assert_eq!(answer.field("content-type"), "");
                    assert_eq!(answer.field("content-length"), "");
                } else {
                    assert_eq!(answer.status, StatusCode::OK, "{tags}");
                    assert_eq!(answer.body.is_empty(), method == Method::HEAD);
                }
                // RFC 9110 section 15.4.5: what a 200 would have said of these.
                for name in ["etag", "cache-control", "vary"] {
                    assert_eq!(answer.field(name), full.field(name), "{tags}");
                }
            }
        }
    }
}

#[tokio::test]
async fn tags_may_come_in_several_fields() {
    let service = served(ring(Algorithm::ES256));
    let full = get(service.clone(), WSO2, &[]).await;
    let fields = [
        ("if-none-match", "\"other\""),
        ("if-none-match", full.field("etag")),
    ];
    let answer = get(service, WSO2, &fields).await;
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn each_media_type_and_each_set_has_its_own_strong_tag() {
    let mut tags = HashSet::new();
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let ring = KeyRing::new(new_key(algorithm));
        for fields in [&[][..], &[JWK_SET]] {
            let tag = |path| {
                let service = served(ring.clone());
                async move { get(service, path, fields).await.field("etag").to_owned() }
            };
            let first = tag(WSO2).await;
            assert!(!first.starts_with("W/"));
            assert_eq!(tag(WELL_KNOWN).await, first, "one set, one tag");
            assert!(tags.insert(first), "another representation, another tag");
        }
    }
}

#[tokio::test]
async fn the_tag_of_one_media_type_does_not_stand_for_the_other() {
    let service = served(ring(Algorithm::ES256));
    let json = get(service.clone(), WSO2, &[]).await;
    let fields = [JWK_SET, ("if-none-match", json.field("etag"))];
    let answer = get(service, WSO2, &fields).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.field("content-type"), "application/jwk-set+json");
}

#[tokio::test]
async fn the_keys_of_two_processes_have_one_tag_if_they_are_the_same() {
    let key = new_key(Algorithm::ES256);
    let set =
        || tower_jwks::JwkSet::parse(tower_jwks::JwkSet::new([(&key).into()]).unwrap().json());
    let mut tags = HashSet::new();
    for _ in 0..2 {
        let endpoint = JwksEndpoint::new(set().unwrap());
        tags.insert(get(endpoint, "/", &[]).await.field("etag").to_owned());
    }
    assert_eq!(tags.len(), 1);
}

#[tokio::test]
async fn every_request_gets_the_same_bytes_at_the_same_place() {
    let endpoint = JwksEndpoint::new(ring(Algorithm::ES256));
    let mut places = HashSet::new();
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..64 {
        requests.spawn(endpoint.clone().oneshot(Request::new(())));
    }
    for response in requests.join_all().await {
        let Ok(response) = response;
        let mut body = response.into_body();
        assert!(body.size_hint().exact().is_some_and(|size| size > 0));
        let waker = std::task::Waker::noop();
        let frame = Pin::new(&mut body).poll_frame(&mut Context::from_waker(waker));
        let std::task::Poll::Ready(Some(Ok(frame))) = frame else {
            panic!("the bytes are at hand");
        };
        places.insert(frame.into_data().unwrap().as_ptr());
        assert!(body.is_end_stream());
    }
    assert_eq!(places.len(), 1, "copied for each request");
}
