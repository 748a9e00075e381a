//! Who gets through, and as whom.

use serde_json::json;

use crate::{
    backend::Backend,
    gateway::{Files, bearer, conf, minting, serving},
    idp::{self, Idp},
};

#[tokio::test]
async fn without_a_good_token_nobody_gets_through() {
    let (gateway, _, idp) = serving("[{target: '/test', verb: GET}]").await;
    let good = idp.token(&json!({}));
    let other = idp.token(&json!({ "sub": "bob" }));
    let (message, _) = good.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    let stranger = Idp::new();
    for (what, header) in [
        ("none", None),
        ("no JWT", Some(bearer("abc"))),
        (
            "another signature",
            Some(bearer(&format!("{message}.{signature}"))),
        ),
        ("another key", Some(bearer(&stranger.token(&json!({}))))),
        (
            "expired",
            Some(bearer(&idp.token(&json!({ "exp": 1_000_000 })))),
        ),
        (
            "another audience",
            Some(bearer(&idp.token(&json!({ "aud": "other" })))),
        ),
        (
            "another issuer",
            Some(bearer(
                &idp.token(&json!({ "iss": "https://other.example.com" })),
            )),
        ),
        ("another scheme", Some(format!("Basic {good}"))),
    ] {
        let headers: Vec<_> = header
            .iter()
            .map(|value| ("Authorization", value.as_str()))
            .collect();
        let answer = gateway.get("/orders/1.0.0/test", &headers).await;
        assert_eq!(answer.status, 401, "{what}");
        assert!(answer.headers.contains_key("www-authenticate"), "{what}");
        assert!(
            answer.json()["code"].as_str().unwrap().starts_with("90090"),
            "{what}"
        );
    }
    assert_eq!(
        gateway
            .get("/orders/1.0.0/test", &[("Authorization", &bearer(&good))])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn one_of_the_operations_scopes_is_enough_and_none_is_not() {
    let (gateway, _, idp) =
        serving("[{target: '/test', verb: GET, scopes: ['orders:read', 'orders:admin']}]").await;
    for (scope, status) in [
        ("orders:read", 200),
        ("openid orders:admin", 200),
        ("orders", 403),
        ("orders:read2", 403),
        ("", 403),
    ] {
        let token = bearer(&idp.token(&json!({ "scope": scope })));
        let answer = gateway
            .get("/orders/1.0.0/test", &[("Authorization", &token)])
            .await;
        assert_eq!(answer.status, status, "{scope}");
        if status == 403 {
            assert_eq!(answer.json()["code"], "900910", "{scope}");
        }
    }
}

#[tokio::test]
async fn an_operation_that_is_not_secured_needs_no_token_and_gets_no_backend_jwt() {
    let (gateway, _, idp) = serving("[{target: '/test', verb: GET, secured: false}]").await;
    let token = bearer(&idp.token(&json!({})));
    for headers in [
        &[][..],
        &[
            ("Authorization", token.as_str()),
            ("X-JWT-Assertion", "forged"),
        ],
    ] {
        let answer = gateway.get("/orders/1.0.0/test", headers).await;
        assert_eq!(answer.seen("x-jwt-assertion"), None);
        assert_eq!(
            answer.seen("authorization"),
            None,
            "a token has no business with the backend"
        );
    }
}

#[tokio::test]
async fn an_api_without_the_policy_gets_no_backend_jwt_and_no_forged_one() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let gateway = Files::new(&idp)
        .api(&conf(&backend, "[{target: '/test', verb: GET}]"))
        .start();
    let token = bearer(&idp.token(&json!({})));
    for name in [
        "X-JWT-Assertion",
        "x_jwt_assertion",
        "X-Jwt_Assertion",
        "x.jwt.assertion",
    ] {
        let answer = gateway
            .get(
                "/orders/1.0.0/test",
                &[("Authorization", &token), (name, "forged")],
            )
            .await;
        assert_eq!(answer.seen(&name.to_ascii_lowercase()), None, "{name}");
    }
}

#[tokio::test]
async fn an_operations_policy_overrides_the_apis_and_neither_header_can_be_forged() {
    let own = "operationPolicies: {request: [{policyName: BackendJwt, parameters: {header: X-Own, customClaims: [{claim: own, value: 'yes'}]}}]}";
    let (gateway, _, idp) = serving(&format!(
        "[{{target: '/own', verb: GET, {own}}}, {{target: '/apis', verb: GET}}]"
    ))
    .await;
    let token = bearer(&idp.token(&json!({})));
    let headers = [
        ("Authorization", token.as_str()),
        ("X-Own", "forged"),
        ("X-JWT-Assertion", "forged"),
    ];

    let answer = gateway.get("/orders/1.0.0/own", &headers).await;
    assert_eq!(idp::part(&answer.seen("x-own").unwrap(), 1)["own"], "yes");
    assert_eq!(answer.seen("x-jwt-assertion"), None);

    let answer = gateway.get("/orders/1.0.0/apis", &headers).await;
    assert_eq!(
        idp::part(&answer.seen("x-jwt-assertion").unwrap(), 1).get("own"),
        None
    );
    assert_eq!(answer.seen("x-own"), None);
}

#[tokio::test]
async fn the_token_is_read_from_the_header_that_the_conf_names() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let api = minting(&conf(&backend, "[{target: '/test', verb: GET}]"));
    let gateway = Files::new(&idp)
        .api(&format!("{api}authentication: [{{authType: OAuth2, headerName: testAuth, sendTokenToUpstream: true}}]\n"))
        .start();
    let token = bearer(&idp.token(&json!({})));
    assert_eq!(
        gateway
            .get("/orders/1.0.0/test", &[("Authorization", &token)])
            .await
            .status,
        401
    );
    let answer = gateway
        .get("/orders/1.0.0/test", &[("testAuth", &token)])
        .await;
    assert_eq!(answer.seen("testauth"), Some(token));
    assert!(answer.seen("x-jwt-assertion").is_some());
}

#[tokio::test]
async fn an_api_with_two_kinds_of_token_takes_one_of_them_at_a_time() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let api = minting(&conf(&backend, "[{target: '/test', verb: GET}]"));
    let authentication = "authentication:
  - {authType: OAuth2}
  - {authType: JWT, headerName: custom-jwt, audience: [aud1]}
";
    let gateway = Files::new(&idp)
        .api(&format!("{api}{authentication}"))
        .start();
    let usual = idp.token(&json!({}));
    let special = idp.token(&json!({ "aud": "aud1" }));
    for (status, headers) in [
        (200, &[("Authorization", bearer(&usual))][..]),
        (200, &[("custom-jwt", special.clone())]),
        (200, &[("custom-jwt", bearer(&special))]),
        (401, &[("Authorization", bearer(&special))]),
        (401, &[("custom-jwt", usual.clone())]),
        (401, &[]),
        (
            400,
            &[
                ("Authorization", bearer(&usual)),
                ("custom-jwt", special.clone()),
            ],
        ),
    ] {
        let sent: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = gateway.get("/orders/1.0.0/test", &sent).await;
        assert_eq!(answer.status, status, "{headers:?}");
        if status == 200 {
            assert!(answer.seen("x-jwt-assertion").is_some());
            assert_eq!(
                (answer.seen("authorization"), answer.seen("custom-jwt")),
                (None, None)
            );
        }
    }
}

#[tokio::test]
async fn where_the_token_is_optional_a_caller_without_one_is_nobody() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let operations = "[{target: '/test', verb: GET}, {target: '/scoped', verb: GET, scopes: [a]}]";
    let api = minting(&conf(&backend, operations));
    let gateway = Files::new(&idp)
        .api(&format!(
            "{api}authentication: [{{authType: OAuth2, required: optional}}]\n"
        ))
        .start();
    let answer = gateway
        .get("/orders/1.0.0/test", &[("X-JWT-Assertion", "forged")])
        .await;
    assert_eq!(answer.seen("x-jwt-assertion"), None);
    let token = bearer(&idp.token(&json!({})));
    let answer = gateway
        .get("/orders/1.0.0/test", &[("Authorization", &token)])
        .await;
    assert_eq!(
        idp::part(&answer.seen("x-jwt-assertion").unwrap(), 1)["sub"],
        "alice"
    );
    assert_eq!(
        gateway
            .get("/orders/1.0.0/test", &[("Authorization", "Bearer bad")])
            .await
            .status,
        401
    );
    assert_eq!(
        gateway.get("/orders/1.0.0/scoped", &[]).await.status,
        401,
        "a scope can only be a token's"
    );
}

#[tokio::test]
async fn issuers_are_read_as_configured() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let issuers = "issuers:
  - issuer: https://idp.example.com
    audiences: [one, two]
    jwks: {file: jwks.json}
    algorithms: [ES256]
    claimMappings: [{remoteClaim: organization, localClaim: org_name}]
    scopesClaim: permissions
";
    let gateway = Files::new(&idp)
        .issuers(issuers)
        .api(&minting(&conf(
            &backend,
            "[{target: '/test', verb: GET, scopes: [a]}]",
        )))
        .start();
    let claims = json!({ "aud": "two", "organization": "Example", "permissions": ["a", "b"] });
    let token = bearer(&idp.token(&claims));
    let answer = gateway
        .get("/orders/1.0.0/test", &[("Authorization", &token)])
        .await;
    let seen = idp::part(&answer.seen("x-jwt-assertion").unwrap(), 1);
    assert_eq!(seen["org_name"], "Example");
    assert_eq!(seen.get("organization"), None, "the remote name is gone");
}

#[tokio::test]
async fn the_log_says_which_request_was_refused_and_nothing_of_its_query() {
    let backend = Backend::start().await;
    let api = minting(&conf(&backend, "[{target: '/test', verb: GET}]"));
    let files = Files::new(&Idp::new()).api(&api);
    let gateway = files.start_logging("log");
    let answer = gateway.get("/orders/1.0.0/test?code=s3cret", &[]).await;
    assert_eq!(answer.status, 401);
    let log = std::fs::read_to_string(files.path("log")).unwrap();
    let refused = log.lines().find(|line| line.contains("request refused"));
    let refused = refused.unwrap_or_else(|| panic!("{log}"));
    for part in ["method=GET", "/orders/1.0.0/test", "missing_credentials"] {
        assert!(refused.contains(part), "{refused}");
    }
    assert!(!log.contains("s3cret"), "{log}");
}
