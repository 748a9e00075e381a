//! The router.

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tower_backend_jwt::{AccessTokenLayer, VerifiedToken, Verifier};
use tower_jwks::ConfigError;

/// The routes, with the layer each of them needs. Every route has one at most: a layer takes the
/// token out of the request, so that a second one further in would find none.
pub(crate) fn app(verifier: impl Into<Verifier>) -> Result<Router, ConfigError> {
    let caller = AccessTokenLayer::new(verifier);
    let may_read = caller.clone().require_all_scopes(["orders:read"])?;
    let may_write = caller.clone().require_all_scopes(["orders:write"])?;

    // The methods of one path, each with a layer of its own.
    let orders = get(list)
        .route_layer(may_read)
        .merge(post(create).route_layer(may_write));

    // All routes there are in this router at that moment. With `layer` instead of `route_layer`, a
    // path that does not exist would ask for a token too, and answer 401 instead of 404.
    let personal = Router::new()
        .route("/me", get(me))
        .route_layer(caller.clone());

    Ok(Router::new()
        .route("/", get(welcome))
        .route("/hello", get(hello).layer(caller.optional()))
        .route("/orders", orders)
        .merge(personal))
}

async fn welcome() -> &'static str {
    "Everybody may read this.\n"
}

/// With a token or without; but with one that does not hold, the layer answers 401.
async fn hello(caller: Option<VerifiedToken>) -> String {
    let subject = caller.as_ref().and_then(VerifiedToken::subject);
    format!("Hello, {}.\n", subject.unwrap_or("stranger"))
}

/// The claims this API reads, in a type of its own.
#[derive(Deserialize, Serialize)]
struct Profile {
    sub: String,
    name: String,
    email: Option<String>,
}

async fn me(caller: VerifiedToken) -> Result<Json<Profile>, StatusCode> {
    // Fails for a token without such claims, which a provider may give to a machine.
    caller.claims().map(Json).map_err(|_| StatusCode::FORBIDDEN)
}

async fn list() -> &'static str {
    "tea, biscuits\n"
}

async fn create(caller: VerifiedToken, order: String) -> (StatusCode, String) {
    let client = caller.client_id().unwrap_or("unknown");
    (
        StatusCode::CREATED,
        format!("Ordered through {client}: {order}\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Provider;
    use axum::{
        body::Body,
        http::{Request, Response},
    };
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    /// The status, the challenge and the body of the answer to a caller with a token of `scope`.
    async fn call(method: &str, path: &str, scope: Option<&str>) -> (u16, String, String) {
        let provider = Provider::new().unwrap();
        let mut request = Request::builder().method(method).uri(path);
        if let Some(scope) = scope {
            let token = provider.token(scope).unwrap();
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let app = app(provider.issuer().unwrap()).unwrap();
        answer(
            app.oneshot(request.body(Body::from("milk")).unwrap())
                .await
                .unwrap(),
        )
        .await
    }

    async fn answer(response: Response<Body>) -> (u16, String, String) {
        let challenge = response.headers().get("www-authenticate");
        let challenge = challenge
            .map_or("", |value| value.to_str().unwrap())
            .to_owned();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, challenge, String::from_utf8(body.into()).unwrap())
    }

    #[tokio::test]
    async fn everybody_may_call_the_public_route() {
        assert_eq!(call("GET", "/", None).await.0, 200);
    }

    #[tokio::test]
    async fn a_caller_with_a_token_is_known_by_its_claims() {
        let (status, _, body) = call("GET", "/me", Some("")).await;
        assert_eq!(status, 200);
        assert_eq!(
            body,
            r#"{"sub":"alice","name":"Alice","email":"alice@example.com"}"#
        );
    }

    #[tokio::test]
    async fn a_caller_without_a_token_is_asked_for_one() {
        for (method, path) in [("GET", "/me"), ("GET", "/orders"), ("POST", "/orders")] {
            let (status, challenge, _) = call(method, path, None).await;
            assert_eq!(
                (status, challenge.as_str()),
                (401, "Bearer"),
                "{method} {path}"
            );
        }
    }

    #[tokio::test]
    async fn a_path_that_does_not_exist_asks_for_no_token() {
        assert_eq!(call("GET", "/nowhere", None).await.0, 404);
    }

    #[tokio::test]
    async fn each_method_of_a_path_has_its_own_scope() {
        let (status, _, body) = call("GET", "/orders", Some("orders:read")).await;
        assert_eq!((status, body.as_str()), (200, "tea, biscuits\n"));
        let (status, challenge, _) = call("POST", "/orders", Some("orders:read")).await;
        assert_eq!(status, 403);
        assert!(challenge.contains(r#"scope="orders:write""#), "{challenge}");

        let (status, _, body) = call("POST", "/orders", Some("orders:write")).await;
        assert_eq!(
            (status, body.as_str()),
            (201, "Ordered through shop-app: milk\n")
        );
        assert_eq!(call("GET", "/orders", Some("orders:write")).await.0, 403);
    }

    #[tokio::test]
    async fn an_optional_caller_is_greeted_by_name_or_as_a_stranger() {
        assert_eq!(call("GET", "/hello", Some("")).await.2, "Hello, alice.\n");
        assert_eq!(call("GET", "/hello", None).await.2, "Hello, stranger.\n");
    }

    #[tokio::test]
    async fn a_token_of_somebody_else_is_refused_even_where_none_is_needed() {
        let stranger = Provider::new().unwrap().token("").unwrap();
        let app = app(Provider::new().unwrap().issuer().unwrap()).unwrap();
        let request = Request::get("/hello")
            .header("authorization", format!("Bearer {stranger}"))
            .body(Body::empty());
        let response = app.oneshot(request.unwrap()).await.unwrap();
        let (status, challenge, _) = answer(response).await;
        assert_eq!(status, 401);
        assert!(
            challenge.contains(r#"error="invalid_token""#),
            "{challenge}"
        );
    }
}
