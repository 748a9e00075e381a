//! The caller's token as an argument of an axum handler.

use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode};
use serde_json::json;
use tests::{
    forge,
    keys::key,
    upstream::{Answer, send, signed},
};
use tower_backend_jwt::{AccessTokenLayer, Refusal, VerifiedToken};
use tower_jwks::Algorithm;

fn routes() -> Router {
    let name = |token: &VerifiedToken| token.subject().unwrap_or("?").to_owned();
    Router::new()
        .route(
            "/required",
            get(async move |token: VerifiedToken| name(&token)),
        )
        .route(
            "/optional",
            get(async move |token: Option<VerifiedToken>| {
                token.map_or_else(|| "nobody".to_owned(), |token| name(&token))
            }),
        )
}

fn layer() -> AccessTokenLayer {
    AccessTokenLayer::new(forge::verifier(key(Algorithm::EdDSA)))
}

async fn ask(router: Router, path: &str, token: Option<&str>) -> Answer {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    send(&router, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_handler_gets_the_token_that_the_layer_verified() {
    let token = signed(&json!({}));
    for path in ["/required", "/optional"] {
        for router in [
            routes().layer(layer()),
            routes().route_layer(layer().optional()),
        ] {
            let answer = ask(router, path, Some(&token)).await;
            assert_eq!(
                (answer.status(), &*answer.body),
                (StatusCode::OK, &b"alice"[..])
            );
        }
    }
}

#[tokio::test]
async fn the_optional_form_is_none_for_a_caller_without_a_token() {
    let router = routes().layer(layer().optional());
    let answer = ask(router.clone(), "/optional", None).await;
    assert_eq!(
        (answer.status(), &*answer.body),
        (StatusCode::OK, &b"nobody"[..])
    );
    let answer = ask(router, "/required", None).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.field("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_missing_layer_is_500_and_is_named() {
    for path in ["/required", "/optional"] {
        let answer = ask(routes(), path, Some(&signed(&json!({})))).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(body.contains("AccessTokenLayer"), "{body}");
    }
}

#[tokio::test]
async fn a_handler_can_end_with_a_refusal() {
    #[derive(serde::Deserialize)]
    struct User {
        name: String,
    }
    async fn name(token: VerifiedToken) -> Result<String, Refusal> {
        Ok(token.claims::<User>()?.name)
    }
    let router = Router::new().route("/name", get(name)).layer(layer());
    let named = signed(&json!({"name": "Alice"}));
    assert_eq!(
        ask(router.clone(), "/name", Some(&named)).await.body,
        "Alice"
    );
    let answer = ask(router, "/name", Some(&signed(&json!({})))).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["error"], "invalid_token");
}
