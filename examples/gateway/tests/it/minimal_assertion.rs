//! What the service behind learns of callers without an access token.

use serde_json::{Value, json};
use tower_jwks::Algorithm;

use crate::{
    backend::Backend,
    deployer::claims,
    gateway::{Answer, Files, Gateway, bearer, conf},
    idp::{ISSUER, Idp, verifies},
};

const OPERATIONS: &str =
    "[{target: '/test', verb: GET}, {target: '/open', verb: GET, secured: false}]";

/// A gateway with this API, whose backend JWT has these parameters.
async fn serving(parameters: &str, authentication: &str) -> (Gateway, Idp) {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let api = conf(&backend, OPERATIONS)
        + &format!(
            "apiPolicies: {{request: [{{policyName: BackendJwt, parameters: {{{parameters}}}}}]}}\n"
        )
        + authentication;
    let files = Files::new(&idp)
        .api(&api)
        .more("applications: applications.yaml\n");
    files.write(
        "applications.yaml",
        &format!("applications: [{{name: shop, uuid: a, owner: carol, clients: [{{issuer: '{ISSUER}', clientId: client-1}}]}}]\n"),
    );
    (files.start(), idp)
}

const MINIMAL: &str =
    "minimalAssertion: true, endUser: true, customClaims: [{claim: region, value: eu}]";

async fn get(gateway: &Gateway, operation: &str, token: Option<&str>) -> Answer {
    let token = token.map(bearer);
    let mut headers = vec![("X-JWT-Assertion", "forged"), ("x_jwt_assertion", "forged")];
    headers.extend(token.as_deref().map(|token| ("Authorization", token)));
    let answer = gateway
        .get(&format!("/orders/1.0.0/{operation}"), &headers)
        .await;
    if answer.status == 200 {
        assert_eq!(answer.seen("x_jwt_assertion"), None);
    }
    answer
}

/// The names of the claims, without those of every JWT.
fn names(claims: &Value) -> Vec<&str> {
    let names = claims.as_object().unwrap().keys();
    names
        .map(|name| name.strip_prefix("http://wso2.org/claims/").unwrap_or(name))
        .filter(|name| !["iss", "iat", "exp", "jti"].contains(name))
        .collect()
}

/// What is said of somebody without a token: the API, and what the author of the API says.
#[track_caller]
fn is_nobodys(answer: &Answer) {
    let claims = claims(answer);
    assert_eq!(claims["auth_type"], "none");
    assert_eq!(claims["region"], "eu");
    assert_eq!(
        names(&claims),
        [
            "auth_type",
            "apicontext",
            "apiname",
            "keytype",
            "version",
            "region"
        ]
    );
}

#[track_caller]
fn is_alices(answer: &Answer) {
    let claims = claims(answer);
    assert_eq!(claims["sub"], "alice");
    assert_eq!(
        claims["http://wso2.org/claims/usertype"],
        "Application_User"
    );
    assert_eq!(claims["http://wso2.org/claims/enduser"], "alice");
    assert_eq!(claims["http://wso2.org/claims/applicationname"], "shop");
    assert_eq!(claims.get("auth_type"), None);
}

#[tokio::test]
async fn an_operation_that_is_not_secured_says_that_nobody_was_asked() {
    let (gateway, idp) = serving(MINIMAL, "").await;
    // What a token says that nobody has verified is not said again; nor is one that tells of itself.
    let token = idp.token(&json!({ "auth_type": "none" }));
    is_nobodys(&get(&gateway, "open", None).await);
    is_nobodys(&get(&gateway, "open", Some(&token)).await);
    is_nobodys(&get(&gateway, "open", Some("bad")).await);
    is_alices(&get(&gateway, "test", Some(&token)).await);
    assert_eq!(get(&gateway, "test", None).await.status, 401);

    let jwt = get(&gateway, "open", None)
        .await
        .seen("x-jwt-assertion")
        .unwrap();
    let jwks = gateway.get("/.wellknown/jwks", &[]).await;
    assert!(verifies(&jwt, &jwks.body, Algorithm::RS256));
}

#[tokio::test]
async fn an_api_without_authentication_says_that_nobody_was_asked() {
    let disabled = "authentication: [{authType: OAuth2, enabled: false}]\n";
    let (gateway, idp) = serving(MINIMAL, disabled).await;
    for operation in ["test", "open"] {
        is_nobodys(&get(&gateway, operation, None).await);
        let token = idp.token(&json!({}));
        is_nobodys(&get(&gateway, operation, Some(&token)).await);
    }
}

#[tokio::test]
async fn where_the_token_is_optional_who_has_none_is_nobody_and_who_has_one_is_somebody() {
    let optional = "authentication: [{authType: OAuth2, required: optional}]\n";
    let (gateway, idp) = serving(MINIMAL, optional).await;
    let token = idp.token(&json!({ "auth_type": "none" }));
    is_nobodys(&get(&gateway, "test", None).await);
    is_alices(&get(&gateway, "test", Some(&token)).await);
    is_nobodys(&get(&gateway, "test", None).await);
    assert_eq!(get(&gateway, "test", Some("bad")).await.status, 401);
}

#[tokio::test]
async fn without_it_nothing_is_said_of_nobody() {
    let optional = "authentication: [{authType: OAuth2, required: optional}]\n";
    for parameters in ["", "minimalAssertion: false"] {
        for (operation, authentication) in [("open", ""), ("test", optional)] {
            let (gateway, _) = serving(parameters, authentication).await;
            let answer = get(&gateway, operation, None).await;
            assert_eq!(answer.seen("x-jwt-assertion"), None);
        }
    }
}

#[test]
fn what_could_never_be_said_is_refused_by_name() {
    let policy = |parameters: &str| {
        format!("{{request: [{{policyName: BackendJwt, parameters: {{{parameters}}}}}]}}")
    };
    let own = |parameters: &str| {
        let policy = policy(parameters);
        crate::gateway::conf_for(
            "http://127.0.0.1:9",
            &format!("[{{target: '/a', verb: GET, secured: false, operationPolicies: {policy}}}]"),
        )
    };
    let all = |parameters: &str| {
        let disabled = "authentication: [{authType: OAuth2, enabled: false}]\n";
        let policy = policy(parameters);
        own("minimalAssertion: true") + disabled + &format!("apiPolicies: {policy}\n")
    };
    let custom = "minimalAssertion: true, customClaims: [{claim: auth_type, value: x}]";
    for (conf, expected) in [
        (own("minimalAssertion: true"), None),
        (own(""), Some("operations[0].operationPolicies.request: ")),
        (all("minimalAssertion: true"), None),
        (all(""), Some("apiPolicies.request: ")),
        (
            own("minimalAssertion: 1"),
            Some("operationPolicies.request[0]: parameters.minimalAssertion: "),
        ),
        (
            own(custom),
            Some("operationPolicies.request[0]: custom claim: \"auth_type\""),
        ),
    ] {
        let (code, complaint) = Files::new(&Idp::new()).api(&conf).check();
        match expected {
            None => assert_eq!(code, Some(0), "{complaint}"),
            Some(expected) => {
                assert_eq!(code, Some(2), "{complaint}");
                assert!(complaint.contains(expected), "{complaint}\n{expected}");
            }
        }
    }
}
