//! What is said of callers without an access token.

use super::*;
use tower_backend_jwt::{Anonymous, AuthType};

/// Marks requests without a token as checked otherwise.
async fn without_token(
    layer: BackendJwtLayer,
    auth_type: Option<AuthType>,
    application: Option<Application>,
) -> Answer {
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))).optional())
        .map_request(move |mut request: Request<()>| {
            if let Some(auth_type) = auth_type.clone() {
                request.extensions_mut().insert(auth_type);
            }
            if let Some(application) = application.clone() {
                request.extensions_mut().insert(application);
            }
            request
        })
        .layer(layer)
        .service(service_fn(upstream));
    send(&service, get(&[("x-jwt-assertion", "forged")])).await
}

#[tokio::test]
async fn of_a_caller_without_a_token_nothing_is_said_unless_the_policy_asks_for_it() {
    for auth_type in [None, Some(AuthType::API_KEY), Some(AuthType::NONE)] {
        let answer = without_token(with_policy(Policy::wso2()), auth_type, None).await;
        assert!(answer.seen("x-jwt-assertion").is_empty());
    }
}

#[tokio::test]
async fn the_minimal_assertion_says_how_the_caller_was_authenticated_and_nothing_of_a_user() {
    let policy = Policy::wso2()
        .enduser()
        .minimal_assertion()
        .audience("orders")
        .custom_claim("region", "eu");
    let application = Application::new("7", "Web shop").subscriber("carol");
    for (auth_type, name, application) in [
        (None, "none", None),
        (Some(AuthType::NONE), "none", None),
        (Some(AuthType::API_KEY), "api_key", Some(application)),
        (Some(AuthType::MUTUAL_TLS), "mutual_tls", None),
        (Some(AuthType::new("kerberos").unwrap()), "kerberos", None),
    ] {
        let known = application.is_some();
        let answer = without_token(with_policy(policy.clone()), auth_type, application).await;
        let mut claims = claims_of(&answer.backend_jwt());
        assert_eq!(claims["auth_type"], name);
        let claims = claims.as_object_mut().unwrap();
        let mut names: Vec<_> = claims.keys().map(|name| name.replace(P, "P/")).collect();
        names.sort();
        let mut expected = vec![
            "P/apicontext",
            "P/apiname",
            "P/keytype",
            "P/version",
            "aud",
            "auth_type",
            "exp",
            "iat",
            "iss",
            "jti",
            "region",
        ];
        if known {
            expected.extend([
                "P/applicationUUId",
                "P/applicationid",
                "P/applicationname",
                "P/subscriber",
            ]);
        }
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(claims["exp"], NOW.as_secs() + 3600);
    }
}

#[tokio::test]
async fn a_flood_without_tokens_is_told_of_by_one_signature() {
    let layer = with_policy(Policy::default().minimal_assertion());
    let first = without_token(layer.clone(), Some(AuthType::API_KEY), None)
        .await
        .backend_jwt();
    let again = without_token(layer.clone(), Some(AuthType::API_KEY), None)
        .await
        .backend_jwt();
    let other = without_token(layer, None, None).await.backend_jwt();
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test]
async fn a_users_jwt_never_has_an_auth_type() {
    let minimal = || Policy::wso2().minimal_assertion();
    let claims = minted(with_policy(minimal()), json!({"auth_type": "api_key"})).await;
    assert_eq!(claims.get("auth_type"), None);
    assert_eq!(claims["sub"], "alice");
    // Where no policy gives it a meaning it is a claim like others.
    let claims = minted(with_policy(Policy::wso2()), json!({"auth_type": "x"})).await;
    assert_eq!(claims["auth_type"], "x");
    let error = minting()
        .policy(minimal().custom_claim("auth_type", "x"))
        .unwrap_err();
    assert!(error.to_string().contains("auth_type"), "{error}");
}

#[tokio::test]
async fn a_token_comes_before_any_other_mark() {
    let service = ServiceBuilder::new()
        .layer(AccessTokenLayer::new(forge::verifier(key(ALGORITHM))))
        .map_request(|mut request: Request<()>| {
            assert!(request.extensions().get::<Anonymous>().is_none());
            request.extensions_mut().insert(AuthType::NONE);
            request
        })
        .layer(with_policy(Policy::wso2().minimal_assertion()))
        .service(service_fn(upstream));
    let answer = send(&service, get_with(&signed(&json!({})))).await;
    let claims = claims_of(&answer.backend_jwt());
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims.get("auth_type"), None);
}

/// A service behind that verifies backend JWTs with our own layer takes none of these for a caller's token.
#[tokio::test]
async fn our_own_verifier_takes_a_minimal_assertion_for_no_token() {
    let policy = Policy::default()
        .minimal_assertion()
        .audience(forge::AUDIENCE);
    let jwt = without_token(with_policy(policy.issuer(forge::ISSUER)), None, None)
        .await
        .backend_jwt();
    let issuer = issuer_builder(ring(ALGORITHM).signing_key().unwrap().as_ref())
        .build()
        .unwrap();
    let reason = forge::verifier_of(issuer)
        .verify(&jwt)
        .unwrap_err()
        .reason();
    assert_eq!(reason, RefusalReason::WrongType);
    // The claim alone tells nothing: a user's token may have it.
    let verifier = forge::verifier(key(ALGORITHM));
    assert!(verifier.verify(&signed(&json!({"auth_type": "x"}))).is_ok());
}

#[test]
fn the_name_of_a_way_to_authenticate_is_a_plain_word() {
    for wrong in ["", "API", "api key", "api-key", "é", &"a".repeat(33)] {
        assert!(AuthType::new(wrong).is_err(), "{wrong}");
    }
    assert_eq!(AuthType::new("ntlm_2").unwrap().as_str(), "ntlm_2");
}
