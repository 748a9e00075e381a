//! What is not about the keys passes as if there were no layer.

use super::{WELL_KNOWN, WSO2, ask, get};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header::ETAG};
use std::convert::Infallible;
use tests::{body, echo::Echo, keys::ring, probe::ReadyProbe};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_jwks::{Algorithm, JwksLayer};

fn layer() -> JwksLayer {
    JwksLayer::new(ring(Algorithm::ES256))
}

#[tokio::test]
async fn another_path_is_the_inner_services() {
    for path in [
        "/",
        "/orders",
        "/.wellknown/jwks/",
        "/.wellknown/JWKS",
        "/.wellknown/jwks.json",
        "/.wellknown/jwks/x",
        "//.wellknown/jwks",
        "/a/.wellknown/jwks",
        "/.wellknown/./jwks",
        "/.wellknown/%6awks",
        "/?/.wellknown/jwks",
        "/.well-known/jwks",
        "/.well-known/openid-configuration",
        "*",
    ] {
        for method in [Method::GET, Method::POST, Method::OPTIONS] {
            let echo = Echo::new();
            let answer = ask(layer().layer(echo.clone()), method, path, &[]).await;
            assert_eq!(echo.count(), 1, "{path}");
            assert_eq!(answer.status, StatusCode::OK);
            assert!(answer.headers.is_empty(), "{:?}", answer.headers);
        }
    }
}

#[tokio::test]
async fn a_query_is_not_looked_at() {
    for path in [WSO2, WELL_KNOWN] {
        for query in ["", "?", "?v=2", "?/orders"] {
            let echo = Echo::new();
            let answer = get(layer().layer(echo.clone()), &format!("{path}{query}"), &[]).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert!(answer.json()["keys"].is_array());
            assert_eq!(echo.count(), 0);
        }
    }
}

#[tokio::test]
async fn own_paths_take_the_place_of_the_default_ones() {
    let layer = layer().paths(["/keys", "/v1/certs"]).unwrap();
    for (path, ours) in [
        ("/keys", true),
        ("/v1/certs", true),
        ("/keys/", false),
        (WSO2, false),
        (WELL_KNOWN, false),
    ] {
        let echo = Echo::new();
        let answer = get(layer.layer(echo.clone()), path, &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(echo.count(), usize::from(!ours), "{path}");
    }
}

/// Not everything of a request or a response shows in an echo.
#[tokio::test]
async fn request_and_response_pass_untouched() {
    #[derive(Clone, Debug, PartialEq)]
    struct Mark(u8);

    let service = service_fn(async |request: Request<String>| {
        let (head, body) = request.into_parts();
        assert_eq!(head.method, Method::PATCH);
        assert_eq!(head.uri, "/orders?id=7");
        assert_eq!(head.version, Version::HTTP_2);
        assert_eq!(head.headers.len(), 1);
        assert_eq!(head.headers["authorization"], "Bearer abc");
        assert_eq!(head.extensions.get(), Some(&Mark(1)));
        assert_eq!(body, "the request");
        let mut response = Response::new(body::UnsyncBody::new("the response"));
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        response
            .headers_mut()
            .insert(ETAG, HeaderValue::from_static("\"theirs\""));
        response.extensions_mut().insert(Mark(2));
        Ok::<_, Infallible>(response)
    });
    let request = Request::patch("/orders?id=7")
        .version(Version::HTTP_2)
        .header("authorization", "Bearer abc")
        .extension(Mark(1))
        .body("the request".to_owned())
        .unwrap();
    let Ok(response) = layer().layer(service).oneshot(request).await;
    let (head, body) = response.into_parts();
    assert_eq!(head.status, StatusCode::IM_A_TEAPOT);
    assert_eq!(head.headers.len(), 1);
    assert_eq!(head.headers["etag"], "\"theirs\"");
    assert_eq!(head.extensions.get(), Some(&Mark(2)));
    assert_eq!(body::read(body).await, Bytes::from("the response"));
}

#[tokio::test]
async fn the_inner_service_is_asked_whether_it_is_ready_and_only_then_called() {
    let mut service = layer().layer(ReadyProbe::new(Echo::new()));
    // What the layer answers itself uses up nothing of the inner service.
    for path in ["/orders", WSO2, "/orders", WELL_KNOWN, WSO2, "/orders"] {
        let request = Request::get(path).body(()).unwrap();
        let Ok(ready) = ServiceExt::<Request<()>>::ready(&mut service).await;
        let Ok(response) = ready.call(request).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
}
