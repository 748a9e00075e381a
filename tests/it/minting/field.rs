//! The header field: ours arrives, no other does, and none comes back.

use super::*;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

#[tokio::test]
async fn a_field_that_the_caller_sends_never_arrives() {
    let token = format!("Bearer {}", signed(&json!({})));
    for authorization in [Some(token.as_str()), None] {
        let mut request = get(&[
            ("x-jwt-assertion", "forged"),
            ("x_jwt_assertion", "forged"),
            ("x-jwt_assertion", "forged"),
            ("x.jwt.assertion", "forged"),
            ("x~jwt!assertion", "forged"),
            ("connection", "close, X-JWT-Assertion"),
            ("x-other", "kept"),
        ]);
        #[allow(clippy::disallowed_methods)] // a second field is what is tested
        request
            .headers_mut()
            .append("x-jwt-assertion", "forged again".parse().unwrap());
        if let Some(value) = authorization {
            request
                .headers_mut()
                .insert("authorization", value.parse().unwrap());
        }
        let answer = ask(minting(), request).await;
        let seen = answer.json()["headers"].to_string();
        assert!(!seen.contains("forged"), "{seen}");
        assert_eq!(
            answer.seen("x-jwt-assertion").len(),
            usize::from(authorization.is_some())
        );
        assert_eq!(answer.seen("connection"), ["close"]);
        assert_eq!(answer.seen("x-other"), ["kept"]);
    }
}

#[tokio::test]
async fn the_caller_never_gets_the_backend_jwt_back() {
    let answer = ask(minting(), get_with(&signed(&json!({})))).await;
    assert_eq!(answer.seen("x-jwt-assertion").len(), 1);
    assert_eq!(answer.field("x-jwt-assertion"), None);
}

#[tokio::test]
async fn the_access_token_goes_no_further_unless_that_is_chosen() {
    let request = || get_with(&signed(&json!({})));
    let layer = AccessTokenLayer::new(forge::verifier(key(ALGORITHM)));
    let seen = async |layer: AccessTokenLayer| {
        let service = ServiceBuilder::new()
            .layer(layer)
            .layer(minting())
            .service_fn(upstream);
        send(&service, request()).await.seen("authorization")
    };
    assert!(seen(layer.clone()).await.is_empty());
    assert_eq!(seen(layer.forward_token()).await.len(), 1);
    let jwt = ask(minting(), request()).await.backend_jwt();
    let token = signed(&json!({}));
    assert!(!claims_of(&jwt).to_string().contains(&token));
}

#[tokio::test]
async fn an_anonymous_caller_is_not_made_a_user() {
    let answer = ask(minting(), get(&[])).await;
    assert!(answer.seen("x-jwt-assertion").is_empty());
}

#[tokio::test]
async fn the_field_has_the_name_the_policy_gives_it() {
    let header = HeaderName::from_static("x-goog-iap-jwt-assertion");
    let layer = with_policy(Policy::default().header(header));
    let answer = ask(layer, get_with(&signed(&json!({})))).await;
    assert_eq!(answer.seen("x-goog-iap-jwt-assertion").len(), 1);
    assert!(answer.seen("x-jwt-assertion").is_empty());
}

#[tokio::test]
async fn another_spelling_of_the_tokens_field_goes_no_further_either() {
    let name = HeaderName::from_static("custom-jwt");
    let layer = AccessTokenLayer::new(forge::verifier(key(ALGORITHM)))
        .header(name)
        .scheme(tower_backend_jwt::Scheme::Bare);
    for (layer, count) in [(layer.clone(), 0), (layer.forward_token(), 1)] {
        let service = ServiceBuilder::new()
            .layer(layer)
            .service(service_fn(upstream));
        let token = signed(&json!({}));
        let request = get(&[("custom-jwt", &token), ("custom_jwt", "forged")]);
        let answer = send(&service, request).await;
        assert_eq!(answer.seen("custom-jwt").len(), count);
        assert!(answer.seen("custom_jwt").is_empty());
    }
}

#[tokio::test]
async fn credentials_that_were_not_checked_go_no_further_even_where_tokens_do() {
    let layer = AccessTokenLayer::new(forge::verifier(key(ALGORITHM)))
        .optional()
        .forward_token();
    let service = ServiceBuilder::new()
        .layer(layer)
        .service(service_fn(upstream));
    for value in ["Basic YWRtaW46", "DPoP forged"] {
        let answer = send(&service, get(&[("authorization", value)])).await;
        assert!(answer.seen("authorization").is_empty());
    }
}

#[tokio::test]
async fn the_backend_jwt_does_not_come_back_among_the_trailers() {
    let leaky = service_fn(async |request: Request<()>| {
        let jwt = request.headers()["x-jwt-assertion"].clone();
        let trailers = async move {
            let mut trailers = http::HeaderMap::new();
            trailers.insert("x-jwt-assertion", jwt);
            trailers.insert("checksum", "kept".parse().unwrap());
            Some(Ok::<_, std::convert::Infallible>(trailers))
        };
        let body = Full::new(Bytes::from("body")).with_trailers(trailers);
        Ok::<_, std::convert::Infallible>(http::Response::new(Box::pin(body)))
    });
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .layer(minting())
        .service(leaky);
    let response = service
        .oneshot(get_with(&signed(&json!({}))))
        .await
        .unwrap();
    let body = response.into_body().collect().await.unwrap();
    let trailers = body.trailers().unwrap();
    assert_eq!(trailers.len(), 1);
    assert_eq!(trailers["checksum"], "kept");
}
