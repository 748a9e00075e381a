//! The way from an issuer's URL to its keys.

use super::{WELL_KNOWN, WSO2, ask, get};
use http::{Method, StatusCode};
use serde_json::json;
use tests::{echo::Echo, keys::ring};
use tower::Layer;
use tower_jwks::{Algorithm, ConfigError, JwksLayer};

fn layer() -> JwksLayer {
    JwksLayer::new(ring(Algorithm::ES256))
}

#[tokio::test]
async fn the_metadata_are_below_the_issuers_path_and_name_its_keys() {
    for (issuer, path, jwks_uri) in [
        (
            "https://gateway.example.com",
            "/.well-known/openid-configuration",
            "https://gateway.example.com/.well-known/jwks.json",
        ),
        (
            "https://gateway.example.com/",
            "/.well-known/openid-configuration",
            "https://gateway.example.com/.well-known/jwks.json",
        ),
        (
            "https://gateway.example.com:8443/tenants/a",
            "/tenants/a/.well-known/openid-configuration",
            "https://gateway.example.com:8443/.well-known/jwks.json",
        ),
        (
            "http://localhost:9095/tenants/a/",
            "/tenants/a/.well-known/openid-configuration",
            "http://localhost:9095/.well-known/jwks.json",
        ),
    ] {
        let echo = Echo::new();
        let service = layer()
            .with_issuer_metadata(issuer)
            .unwrap()
            .layer(echo.clone());
        let answer = get(service.clone(), path, &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(
            answer.json(),
            json!({ "issuer": issuer, "jwks_uri": jwks_uri })
        );
        assert_eq!(answer.field("content-type"), "application/json");
        assert_eq!(
            answer.field("content-length"),
            answer.body.len().to_string()
        );
        assert_eq!(answer.field("cache-control"), "public, max-age=600");
        assert_eq!(answer.field("x-content-type-options"), "nosniff");
        assert_eq!(answer.field("access-control-allow-origin"), "*");
        assert_eq!(echo.count(), 0);

        // The keys are where the metadata say.
        let keys = jwks_uri.split_once("//").unwrap().1;
        let keys = get(service, &keys[keys.find('/').unwrap()..], &[]).await;
        assert_eq!(keys.status, StatusCode::OK);
        assert!(keys.json()["keys"].is_array());
    }
}

#[tokio::test]
async fn the_metadata_name_a_registered_path_or_else_the_first_whatever_is_set_first() {
    for (paths, named) in [
        (&[WSO2, WELL_KNOWN][..], WELL_KNOWN),
        (&[WELL_KNOWN, WSO2], WELL_KNOWN),
        (&["/keys", WSO2], "/keys"),
    ] {
        let issuer = "https://gateway.example.com";
        let paths = || paths.iter().copied();
        let before = layer().paths(paths()).unwrap();
        let before = before.with_issuer_metadata(issuer).unwrap();
        let after = layer().with_issuer_metadata(issuer).unwrap();
        let after = after.paths(paths()).unwrap();
        for layer in [before, after] {
            let path = "/.well-known/openid-configuration";
            let answer = get(layer.layer(Echo::new()), path, &[]).await;
            assert_eq!(answer.json()["jwks_uri"], format!("{issuer}{named}"));
        }
    }
}

#[tokio::test]
async fn what_the_caller_says_of_the_host_changes_nothing() {
    let layer = layer()
        .with_issuer_metadata("https://gateway.example.com")
        .unwrap();
    let service = layer.layer(Echo::new());
    let path = "/.well-known/openid-configuration";
    let honest = get(service.clone(), path, &[]).await;
    for fields in [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=http"),
        ("x-forwarded-proto", "http"),
        ("x-original-url", "https://evil.example/"),
    ] {
        let answer = get(service.clone(), path, &[fields]).await;
        assert_eq!(answer.body, honest.body);
        assert_eq!(answer.headers, honest.headers);
    }
    let absolute = format!("http://evil.example{path}");
    let answer = get(service, &absolute, &[]).await;
    assert_eq!(answer.body, honest.body);
}

#[tokio::test]
async fn the_metadata_have_a_tag_and_methods_as_the_keys_do() {
    let layer = layer()
        .with_issuer_metadata("https://gateway.example.com")
        .unwrap();
    let service = layer.layer(Echo::new());
    let path = "/.well-known/openid-configuration";
    let full = get(service.clone(), path, &[]).await;

    let head = ask(service.clone(), Method::HEAD, path, &[]).await;
    assert_eq!(
        (head.status, &head.headers),
        (StatusCode::OK, &full.headers)
    );
    assert_eq!(head.body, "");

    let fields = [("if-none-match", full.field("etag"))];
    let known = get(service.clone(), path, &fields).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    assert_eq!(known.body, "");

    let keys = get(service.clone(), WSO2, &[]).await;
    assert_ne!(keys.field("etag"), full.field("etag"));

    let post = ask(service, Method::POST, path, &[]).await;
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.field("allow"), "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn without_an_issuer_the_path_is_the_inner_services() {
    let echo = Echo::new();
    let path = "/.well-known/openid-configuration";
    let _ = get(layer().layer(echo.clone()), path, &[]).await;
    assert_eq!(echo.count(), 1);
}

#[test]
fn an_issuer_that_is_no_url_of_a_server_is_refused() {
    for (issuer, error) in [
        ("", "issuer: is not a URL"),
        ("https://exa mple.com", "issuer: is not a URL"),
        ("gateway.example.com", "issuer: is not an https or http URL"),
        ("/gateway", "issuer: is not an https or http URL"),
        ("wso2.org/products/am", "issuer: is not a URL"),
        (
            "ftp://gateway.example.com",
            "issuer: is not an https or http URL",
        ),
        ("urn:example:gateway", "issuer: is not a URL"),
        (
            "https://gateway.example.com/?a=b",
            "issuer: has a query or a fragment",
        ),
        (
            "https://gateway.example.com/#a",
            "issuer: has a query or a fragment",
        ),
    ] {
        let refused = layer().with_issuer_metadata(issuer).unwrap_err();
        assert_eq!(refused.to_string(), error, "{issuer}");
    }
}

#[test]
fn paths_that_lead_nowhere_are_refused() {
    let refused = |paths: &[&str]| layer().paths(paths.iter().copied()).unwrap_err();
    let none: ConfigError = refused(&[]);
    assert_eq!(none.to_string(), "paths: are none");
    for path in [
        "",
        "keys",
        "https://gateway.example.com/keys",
        "*",
        "/a?b=c",
        "/a b",
    ] {
        let error = refused(&["/good", path]);
        let text = format!("paths: {path:?} is not the path of a URL");
        assert_eq!(error.to_string(), text);
    }
}
