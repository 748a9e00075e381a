//! HTTP/2 without TLS, by prior knowledge.

use bytes::Bytes;
use http::{Request, Version};
use http_body_util::{BodyExt, Empty};
use serde_json::{Value, json};

use crate::{
    gateway::{bearer, serving},
    idp,
};

#[tokio::test]
async fn a_request_over_http2_is_served_like_any_other() {
    let (gateway, _, idp) = serving("[{target: '/test', verb: GET}]").await;
    let mut http2 = gateway.http2().await;
    let request = Request::get("http://api.example.com/orders/1.0.0/test?q=1")
        .header("authorization", bearer(&idp.token(&json!({}))))
        .header("x-jwt-assertion", "forged")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = http2.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.version(), Version::HTTP_2);
    let seen: Value =
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    assert_eq!(seen["target"], "/base/test?q=1");
    assert_eq!(
        seen["headers"]["x-forwarded-host"],
        json!(["api.example.com"])
    );
    assert_eq!(seen["headers"]["cookie"], json!(["a=1; b=2"]));
    let jwt = seen["headers"]["x-jwt-assertion"][0].as_str().unwrap();
    assert_eq!(idp::part(jwt, 1)["sub"], "alice");
}

#[tokio::test]
async fn a_path_that_can_be_read_in_two_ways_is_refused_over_http2_too() {
    let (gateway, ..) = serving("[{target: '/*', verb: GET, secured: false}]").await;
    let mut http2 = gateway.http2().await;
    for path in [
        "/orders/1.0.0/a/../b",
        "/orders/1.0.0//a",
        "/orders/1.0.0/a%2fb",
    ] {
        let request = Request::get(gateway.url(path))
            .body(Empty::<Bytes>::new())
            .unwrap();
        assert_eq!(
            http2.send_request(request).await.unwrap().status(),
            400,
            "{path}"
        );
    }
}
