//! What a refused request is answered: the status, the challenge, the body, and what of the reason
//! goes where.

use bytes::Bytes;
use http::{Request, Response, StatusCode, request::Parts};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tests::{
    echo::Echo,
    forge::{self, ISSUER, Token, issuer_builder},
    keys::{key, new_key},
    time::{NOW, clock},
    upstream::{Answer, get, get_with, send, signed, upstream},
};
use tower::{Layer, service_fn};
use tower_backend_jwt::{
    AccessTokenLayer, BackendJwtLayer, Issuer, Refusal, RefusalFormat, RefusalReason,
    RequireScopeLayer, VerifiedToken, Verifier,
};
use tower_jwks::{Algorithm, KeyRing, KeySet, KeySource, KeysUnavailable};

async fn ask(layer: AccessTokenLayer, request: Request<()>) -> Answer {
    send(&layer.layer(service_fn(upstream)), request).await
}

fn reason(answer: &Answer) -> RefusalReason {
    answer
        .head
        .extensions
        .get::<Refusal>()
        .expect("a refusal")
        .reason()
}

/// Each reason that a request can have, with the request.
fn refused_requests() -> Vec<(RefusalReason, Request<()>)> {
    use RefusalReason as R;
    let now = NOW.as_secs();
    let header = |name: &str, value: serde_json::Value| {
        get_with(&Token::of(key(Algorithm::EdDSA)).header(name, value).sign())
    };
    let with = |changes| get_with(&signed(&changes));
    let stranger = new_key(Algorithm::EdDSA);
    let kid = key(Algorithm::EdDSA).kid();
    vec![
        (R::MissingCredentials, get(&[])),
        (R::MalformedRequest, get(&[("authorization", "Bearer")])),
        (R::TokenTooLong, get_with(&"a".repeat(16 * 1024 + 1))),
        (R::MalformedToken, get_with("a.b.c")),
        (R::UnsupportedHeader, header("crit", json!(["exp"]))),
        (R::WrongType, header("typ", json!("logout+jwt"))),
        (R::AlgorithmNotAllowed, header("alg", json!("none"))),
        (
            R::UnknownIssuer,
            with(json!({"iss": "https://other.example.com"})),
        ),
        (R::UnknownKey, header("kid", json!("another"))),
        (
            R::InvalidSignature,
            get_with(&Token::of(&stranger).header("kid", kid).sign()),
        ),
        (
            R::MalformedClaim,
            with(json!({"exp": (now + 60).to_string()})),
        ),
        (R::MissingClaim, with(json!({"exp": null}))),
        (R::Expired, with(json!({"exp": now - 60, "iat": now - 120}))),
        (R::NotYetValid, with(json!({"nbf": now + 61}))),
        (R::IssuedInFuture, with(json!({"iat": now + 61}))),
        (R::WrongAudience, with(json!({"aud": "others"}))),
        (R::SenderConstrained, with(json!({"cnf": {"jkt": "x"}}))),
        (R::InsufficientScope, with(json!({"scope": "other"}))),
        (R::Rejected, with(json!({"sub": "rejected"}))),
        (R::Forbidden, with(json!({"sub": "forbidden"}))),
    ]
}

fn layer() -> AccessTokenLayer {
    AccessTokenLayer::new(forge::verifier(key(Algorithm::EdDSA)))
        .require_all_scopes(["orders:read"])
        .unwrap()
        .check(|token: &VerifiedToken, _: &Parts| match token.subject() {
            Some("rejected") => Err(Refusal::invalid_token()),
            Some("forbidden") => Err(Refusal::forbidden()),
            _ => Ok(()),
        })
}

/// What the caller is told of each reason: status, challenge, WSO2's code, gRPC's status.
fn expected(reason: RefusalReason) -> (u16, &'static str, &'static str, &'static str) {
    use RefusalReason as R;
    const INVALID: &str =
        r#"Bearer error="invalid_token", error_description="the access token is not valid""#;
    match reason {
        R::MissingCredentials => (401, "Bearer", "900902", "16"),
        R::MalformedRequest => (
            400,
            r#"Bearer error="invalid_request", error_description="the request's credentials are malformed""#,
            "900901",
            "16",
        ),
        R::Expired => (
            401,
            r#"Bearer error="invalid_token", error_description="the access token expired""#,
            "900903",
            "16",
        ),
        R::InsufficientScope => (
            403,
            r#"Bearer error="insufficient_scope", error_description="the access token's scope does not suffice", scope="orders:read""#,
            "900910",
            "7",
        ),
        R::Forbidden => (403, "Bearer", "900908", "7"),
        _ => (401, INVALID, "900901", "16"),
    }
}

#[tokio::test]
async fn each_reason_has_its_status_and_its_challenge() {
    for (expected_reason, request) in refused_requests() {
        let answer = ask(layer(), request).await;
        let (status, challenge, ..) = expected(expected_reason);
        assert_eq!(reason(&answer), expected_reason);
        assert_eq!(answer.status(), status, "{expected_reason:?}");
        assert_eq!(
            answer.field("www-authenticate"),
            Some(challenge),
            "{expected_reason:?}"
        );
        assert_eq!(answer.field("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn a_caller_that_takes_json_gets_a_problem_document() {
    for (reason, request) in refused_requests() {
        let answer = ask(layer(), request).await;
        assert_eq!(
            answer.field("content-type"),
            Some("application/problem+json")
        );
        let problem = answer.json();
        let (status, challenge, ..) = expected(reason);
        assert_eq!(problem["status"], status);
        match problem["error"].as_str() {
            Some(error) => assert!(challenge.contains(&format!("error=\"{error}\""))),
            None => assert_eq!(challenge, "Bearer"),
        }
    }
}

#[tokio::test]
async fn a_problem_document_is_sent_only_where_it_is_accepted() {
    for (accept, body) in [
        ("application/json", true),
        ("application/problem+json", true),
        ("text/html, application/*;q=0.5", true),
        ("*/*", true),
        ("text/html", false),
        ("application/json;q=0, text/html", false),
        ("", false),
        ("image/*, text/plain", false),
    ] {
        let answer = ask(layer(), get(&[("accept", accept)])).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(!answer.body.is_empty(), body, "{accept}");
        assert_eq!(answer.field("content-type").is_some(), body, "{accept}");
    }
}

#[tokio::test]
async fn the_form_of_wso2_gateways_can_be_chosen() {
    for (reason, request) in refused_requests() {
        let layer = layer().refusal_format(RefusalFormat::Wso2);
        let answer = ask(layer, request).await;
        let (status, challenge, code, _) = expected(reason);
        let body = answer.json();
        assert_eq!(answer.status(), status);
        assert_eq!(answer.field("content-type"), Some("application/json"));
        // Theirs, with the realm and the words of WSO2's gateways.
        let challenge = match challenge.strip_prefix("Bearer ") {
            Some(parameters) => format!("Bearer realm=\"APK\", {parameters}"),
            None => "Bearer realm=\"APK\"".to_owned(),
        };
        let words = "The provided token is invalid";
        let challenge = challenge
            .replace("the access token is not valid", words)
            .replace("the access token expired", words);
        assert_eq!(answer.field("www-authenticate"), Some(challenge.as_str()));
        assert_eq!(body["code"], code, "{reason:?}");
        assert!(body["error_message"].is_string() && body["error_description"].is_string());
        assert_eq!(body.as_object().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn a_grpc_caller_gets_its_status_in_trailers_only_form() {
    for (reason, mut request) in refused_requests() {
        for content_type in [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc-web",
        ] {
            let headers = request.headers_mut();
            headers.insert("content-type", content_type.parse().unwrap());
            let answer = ask(layer(), request.clone()).await;
            let (.., grpc) = expected(reason);
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.field("grpc-status"), Some(grpc), "{reason:?}");
            assert!(answer.field("grpc-message").is_some());
            assert_eq!(answer.field("content-type"), Some(content_type));
            assert!(answer.body.is_empty());
        }
    }
}

struct Unavailable(Option<Duration>);

impl KeySource for Unavailable {
    fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable> {
        let error = KeysUnavailable::new("never fetched");
        Err(match self.0 {
            Some(after) => error.with_retry_after(after),
            None => error,
        })
    }
}

#[tokio::test]
async fn an_issuer_whose_keys_are_not_to_be_had_is_503_and_no_verdict_on_the_token() {
    for (after, expected) in [(None, "5"), (Some(30), "30"), (Some(0), "1")] {
        let source = Unavailable(after.map(Duration::from_secs));
        let issuer = Issuer::from_source(ISSUER, source).audience("orders");
        let layer = AccessTokenLayer::new(issuer.build().unwrap());
        let answer = ask(layer, get_with(&signed(&json!({})))).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.field("retry-after"), Some(expected));
        assert_eq!(answer.field("www-authenticate"), None);
        assert_eq!(reason(&answer), RefusalReason::KeysUnavailable);
    }
}

#[tokio::test]
async fn one_issuer_without_keys_does_not_touch_another() {
    let down = Issuer::from_source("https://down.example.com", Unavailable(None));
    let verifier = Verifier::builder()
        .issuer(down.audience("orders").build().unwrap())
        .issuer(issuer_builder(key(Algorithm::EdDSA)).build().unwrap())
        .clock(clock())
        .build()
        .unwrap();
    assert!(verifier.verify(&signed(&json!({}))).is_ok());
    let refusal = verifier.verify(&signed(&json!({"iss": "https://down.example.com"})));
    assert_eq!(
        refusal.unwrap_err().reason(),
        RefusalReason::KeysUnavailable
    );
}

#[tokio::test]
async fn a_realm_is_named_in_every_challenge() {
    let layer = layer().realm("orders API").unwrap();
    let answer = ask(layer.clone(), get(&[])).await;
    assert_eq!(
        answer.field("www-authenticate"),
        Some(r#"Bearer realm="orders API""#)
    );
    let answer = ask(layer.clone(), get_with("a.b.c")).await;
    let challenge = answer.field("www-authenticate").unwrap().to_owned();
    assert!(challenge.starts_with(r#"Bearer realm="orders API", error="invalid_token""#));
    for wrong in ["a\"b", "a\\b", "ä", "a\nb"] {
        assert_eq!(layer.clone().realm(wrong).unwrap_err().field(), "realm");
    }
}

#[tokio::test]
async fn a_response_of_the_users_own_replaces_the_answer() {
    let layer = layer().refuse_with(|refusal: &Refusal, request: &Parts| {
        Response::builder()
            .status(StatusCode::IM_A_TEAPOT)
            .body(format!("{}: {}", request.uri, refusal.reason().label()).into())
            .unwrap()
    });
    let answer = ask(layer, get(&[])).await;
    assert_eq!(answer.status(), StatusCode::IM_A_TEAPOT);
    assert_eq!(answer.body, "/orders: missing_credentials");
    assert_eq!(reason(&answer), RefusalReason::MissingCredentials);
}

#[tokio::test]
async fn no_response_of_the_users_own_turns_a_refusal_into_a_success() {
    let layer = layer().refuse_with(|_: &Refusal, _: &Parts| Response::<Bytes>::default());
    let answer = ask(layer.clone(), get(&[])).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(answer.field("www-authenticate"), Some("Bearer"));
    let answer = ask(layer, get_with(&signed(&json!({"scope": null})))).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_optional_layer_lets_no_bad_token_through() {
    let optional = AccessTokenLayer::new(forge::verifier(key(Algorithm::EdDSA))).optional();
    for (reason, request) in refused_requests() {
        use RefusalReason as R;
        let needs_more = [R::InsufficientScope, R::Rejected, R::Forbidden].contains(&reason);
        let answer = ask(optional.clone(), request).await;
        let passes = reason == R::MissingCredentials || needs_more;
        assert_eq!(answer.status() == StatusCode::OK, passes, "{reason:?}");
    }
    let basic = get(&[("authorization", "Basic dTpw")]);
    assert!(ask(optional, basic).await.seen("authorization").is_empty());
}

#[tokio::test]
async fn a_scope_that_is_required_is_required_of_callers_without_a_token_too() {
    let answer = ask(layer().optional(), get(&[])).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn checks_and_required_scopes_add_up() {
    let refuse = |_: &VerifiedToken, _: &Parts| Err(Refusal::forbidden());
    let allow = |_: &VerifiedToken, _: &Parts| Ok(());
    let base = || AccessTokenLayer::new(forge::verifier(key(Algorithm::EdDSA)));
    for layer in [
        base().check(refuse).check(allow),
        base().check(allow).check(refuse),
    ] {
        let answer = ask(layer, get_with(&signed(&json!({})))).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    let layer = base()
        .require_any_scope(["orders:read", "x"])
        .and_then(|layer| layer.require_all_scopes(["orders:delete"]))
        .unwrap();
    let answer = ask(layer, get_with(&signed(&json!({})))).await;
    let refusal = answer.head.extensions.get::<Refusal>().unwrap();
    assert_eq!(refusal.scope(), Some("orders:delete"));
}

#[tokio::test]
async fn a_grpc_answer_of_the_users_own_is_left_as_it_is_and_one_of_success_is_not() {
    let answer_with = async |status: &'static str, content_type: &str| {
        let layer = layer().refuse_with(move |_: &Refusal, _: &Parts| {
            Response::builder()
                .header("grpc-status", status)
                .body(Bytes::new())
                .unwrap()
        });
        ask(layer, get(&[("content-type", content_type)]))
            .await
            .status()
    };
    const GRPC: &str = "application/grpc";
    assert_eq!(answer_with("16", GRPC).await, StatusCode::OK);
    assert_eq!(answer_with("0", GRPC).await, StatusCode::UNAUTHORIZED);
    let elsewhere = answer_with("16", "application/json").await;
    assert_eq!(elsewhere, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn some_routes_ask_for_more_scopes_behind_one_layer() {
    let service = |access: AccessTokenLayer, scopes: RequireScopeLayer| {
        access.layer(scopes.layer(service_fn(upstream)))
    };
    let access = || AccessTokenLayer::new(forge::verifier(key(Algorithm::EdDSA))).optional();
    for (scopes, token, status) in [
        (
            RequireScopeLayer::all(["orders:read", "orders:write"]),
            true,
            200,
        ),
        (RequireScopeLayer::any(["x", "orders:write"]), true, 200),
        (RequireScopeLayer::all(["orders:read", "x"]), true, 403),
        (RequireScopeLayer::any(["x", "y"]), true, 403),
        (RequireScopeLayer::any(["x", "orders:read"]), false, 401),
    ] {
        let request = if token {
            get_with(&signed(&json!({})))
        } else {
            get(&[])
        };
        let answer = send(&service(access(), scopes.unwrap()), request).await;
        assert_eq!(answer.status(), status);
    }
    let alone = RequireScopeLayer::all(["x"]).unwrap();
    let answer = send(&alone.layer(service_fn(upstream)), get(&[])).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(reason(&answer), RefusalReason::MissingAccessTokenLayer);
    let none: [&str; 0] = [];
    assert!(RequireScopeLayer::all(none).is_err());
    assert!(RequireScopeLayer::any(["a b"]).is_err());
}

#[tokio::test]
async fn every_label_is_different_and_fit_for_a_metric() {
    let mut labels: Vec<_> = refused_requests()
        .into_iter()
        .map(|(reason, _)| reason.label())
        .collect();
    let count = labels.len();
    labels.sort_unstable();
    labels.dedup();
    assert_eq!(labels.len(), count);
    let fit = |label: &&str| label.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    assert!(labels.iter().all(fit));
}

#[tokio::test]
async fn a_backend_jwt_layer_without_an_access_token_layer_is_500_and_says_what_is_missing() {
    let keys = KeyRing::generate(Algorithm::EdDSA).unwrap();
    let service = BackendJwtLayer::new(keys).layer(service_fn(upstream));
    let answer = send(&service, get(&[("x-jwt-assertion", "forged")])).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(reason(&answer), RefusalReason::MissingAccessTokenLayer);
    let refusal = answer.head.extensions.get::<Refusal>().unwrap().to_string();
    assert!(refusal.contains("AccessTokenLayer"), "{refusal}");
    let body = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(
        !body.contains("AccessTokenLayer"),
        "the caller learns nothing of it: {body}"
    );
}

#[tokio::test]
async fn a_refused_request_never_reaches_the_service_behind() {
    let echo = Echo::new();
    let service = layer().layer(echo.clone());
    for (reason, request) in refused_requests() {
        let answer = send(&service, request).await;
        assert!(!answer.status().is_success(), "{reason:?}");
    }
    assert_eq!(echo.count(), 0);
}
