//! Requests that mean to be read in two ways.

use serde_json::json;

use crate::{
    backend::Backend,
    gateway::{Files, bearer, conf, minting, serving},
    idp::{self, Idp},
};

const OPERATIONS: &str = "[
    {target: '/admin', verb: GET, scopes: [admin]},
    {target: '/admin', verb: POST, secured: false},
    {target: '/*', verb: GET, secured: false},
]";

#[tokio::test]
async fn a_path_that_can_be_read_in_two_ways_is_refused() {
    let (gateway, ..) = serving(OPERATIONS).await;
    for path in [
        "/orders/1.0.0/x/../admin",
        "/orders/1.0.0/./admin",
        "/orders/1.0.0/%2e%2e/admin",
        "/orders/1.0.0/x/%2E./admin",
        "/orders/1.0.0//admin",
        "//orders/1.0.0/admin",
        "/orders/1.0.0/x%2fadmin",
        "/orders/1.0.0/x%5cadmin",
        "/orders/1.0.0/x\\admin",
        "/orders/1.0.0/admin;x=1",
        "/orders/1.0.0/..;/admin",
        "/orders/1.0.0/admin%00",
        "/orders/1.0.0/%252e%252e/admin",
        "/orders/1.0.0/%c0%ae%c0%ae/admin",
    ] {
        let response = gateway
            .raw(&format!(
                "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            ))
            .await;
        assert!(response.starts_with("HTTP/1.1 400 "), "{path}: {response}");
    }
}

#[tokio::test]
async fn an_escaped_letter_does_not_slip_past_a_rule() {
    let (gateway, ..) = serving(OPERATIONS).await;
    for path in [
        "/orders/1.0.0/%61dmin",
        "/orders/1.0.0/admin/",
        "/%6frders/1.0.0/admin",
    ] {
        assert_eq!(gateway.get(path, &[]).await.status, 401, "{path}");
    }
    assert_eq!(gateway.get("/orders/1.0.0/other", &[]).await.status, 200);
}

#[tokio::test]
async fn a_whole_url_as_the_target_changes_nothing() {
    let (gateway, ..) = serving(OPERATIONS).await;
    for (target, status) in [
        ("http://other.example.com/orders/1.0.0/admin", "401"),
        ("http://other.example.com/orders/1.0.0/open", "200"),
        ("*", "400"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let response = gateway.raw(&request).await;
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status} ")),
            "{target}: {response}"
        );
    }
    let response = gateway
        .raw("CONNECT other.example.com:80 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await;
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
}

#[tokio::test]
async fn no_header_chooses_another_path_or_method() {
    let (gateway, ..) = serving(OPERATIONS).await;
    let headers = [
        ("X-Original-URL", "/orders/1.0.0/admin"),
        ("X-Rewrite-URL", "/orders/1.0.0/admin"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-HTTP-Path-Override", "/orders/1.0.0/admin"),
        ("X-Envoy-Original-Path", "/orders/1.0.0/admin"),
        ("x~original~url", "/orders/1.0.0/admin"),
        ("X!Rewrite_URL", "/orders/1.0.0/admin"),
    ];
    let answer = gateway.get("/orders/1.0.0/open", &headers).await;
    assert_eq!(answer.json()["target"], "/base/open");
    assert_eq!(answer.json()["method"], "GET");
    for (name, _) in headers {
        assert_eq!(
            answer.seen(&name.to_ascii_lowercase()),
            None,
            "the backend might obey {name}"
        );
    }
    // The other way round: no method but the request's own opens the way.
    let answer = gateway
        .get("/orders/1.0.0/admin", &[("X-HTTP-Method-Override", "POST")])
        .await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn no_header_says_who_is_calling_but_the_backend_jwt() {
    let (gateway, _, idp) =
        serving("[{target: '/test', verb: GET}, {target: '/open', verb: GET, secured: false}]")
            .await;
    let token = bearer(&idp.token(&json!({})));
    for name in [
        "remote-user",
        "x-remote-user",
        "x_remote_user",
        "x-forwarded-user",
        "x-forwarded-email",
        "x-auth-request-user",
        "x~auth~request~user",
        "x-userinfo",
        "x-authenticated-userid",
        "x-consumer-username",
        "x-webauth-user",
        "client-cert",
    ] {
        let headers = [("Authorization", token.as_str()), (name, "admin")];
        for path in ["/orders/1.0.0/test", "/orders/1.0.0/open"] {
            assert_eq!(gateway.get(path, &headers).await.seen(name), None, "{name}");
        }
    }
}

#[tokio::test]
async fn a_token_that_is_not_the_checked_one_does_not_pass_in_any_spelling() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let start = |authentication: &str| {
        let api = minting(&conf(&backend, "[{target: '/test', verb: GET}]"));
        Files::new(&idp)
            .api(&format!("{api}authentication: [{authentication}]\n"))
            .start()
    };
    let both = start(
        "{authType: OAuth2, headerName: X-Auth, sendTokenToUpstream: true}, \
         {authType: JWT, headerName: X-Token, sendTokenToUpstream: true, audience: [test-audience]}",
    );
    let disabled = start(
        "{authType: OAuth2, enabled: false, headerName: X-Auth, sendTokenToUpstream: true}, \
         {authType: JWT, headerName: X-Token, sendTokenToUpstream: true, audience: [test-audience]}",
    );
    let token = bearer(&idp.token(&json!({})));
    for (gateway, checked, forged) in [
        (&both, "x-auth", "x_token"),
        (&both, "x-auth", "x~token"),
        (&both, "x-token", "x.auth"),
        (&both, "x-token", "x_token"),
        (&disabled, "x-token", "x-auth"),
        (&disabled, "x-token", "x_auth"),
    ] {
        let headers = [(checked, token.as_str()), (forged, "forged")];
        let answer = gateway.get("/orders/1.0.0/test", &headers).await;
        assert_eq!(answer.seen(checked).as_ref(), Some(&token), "{forged}");
        assert_eq!(answer.seen(forged), None, "{forged} beside {checked}");
    }
}

#[tokio::test]
async fn the_backend_jwt_of_one_api_cannot_be_forged_through_another() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let operations = "[{target: '/test', verb: GET}, {target: '/open', verb: GET, secured: false}]";
    let api = conf(&backend, operations);
    let own = minting(&api.replace("/orders", "/own"))
        .replace("parameters: {}", "parameters: {header: X-Own}");
    let gateway = Files::new(&idp)
        .api(&format!("{api}defaultVersion: true\n"))
        .api(&own)
        .start();
    let token = bearer(&idp.token(&json!({})));
    for name in [
        "X-Own",
        "X_Own",
        "X!Own",
        "X-JWT-Assertion",
        "X~JWT~Assertion",
    ] {
        let headers = [("Authorization", token.as_str()), (name, "forged")];
        for path in [
            "/orders/1.0.0/test",
            "/orders/1.0.0/open",
            "/orders/test",
            "/own/1.0.0/open",
        ] {
            let answer = gateway.get(path, &headers).await;
            let name = name.to_ascii_lowercase();
            assert_eq!(answer.seen(&name), None, "{path} {name}");
        }
        let answer = gateway.get("/own/1.0.0/test", &headers).await;
        let jwt = answer.seen("x-own").unwrap();
        assert_eq!(idp::part(&jwt, 1)["sub"], "alice");
    }
}

#[tokio::test]
async fn a_backend_jwt_in_whichever_header_arrives_or_is_refused_by_name() {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let token = bearer(&idp.token(&json!({})));
    let api = minting(&conf(&backend, "[{target: '/test', verb: GET}]"));
    for (name, good) in [
        ("x-assertion", true),
        ("x-tenant", true),
        ("proxy", true),
        ("proxy-assertion", true),
        ("http2-settings", true),
        ("x-forwarded-assertion", false),
        ("x-forwarded-for", false),
        ("x_forwarded_for", false),
        ("x-forwarded-host", false),
        ("x-forwarded-proto", false),
        ("x-original-url", false),
        ("x-http-method-override", false),
        ("x-remote-user", false),
        ("x-real-ip", false),
        ("client-cert", false),
        ("cache-control", false),
        ("vary", false),
        ("forwarded", false),
        ("connection", false),
        ("content-length", false),
        ("cookie", false),
        ("expect", false),
        ("host", false),
        ("keep-alive", false),
        ("proxy-authenticate", false),
        ("proxy-authorization", false),
        ("proxy-connection", false),
        ("te", false),
        ("trailer", false),
        ("transfer-encoding", false),
        ("upgrade", false),
    ] {
        let named = format!("parameters: {{header: {name}}}");
        let files = Files::new(&idp).api(&api.replace("parameters: {}", &named));
        if good {
            let headers = [("Authorization", token.as_str()), (name, "forged")];
            let answer = files.start().get("/orders/1.0.0/test", &headers).await;
            let jwt = answer.seen(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(idp::part(&jwt, 1)["sub"], "alice", "{name}");
        } else {
            let (code, complaint) = files.check();
            assert_eq!(code, Some(2), "{name}: {complaint}");
            assert!(
                complaint.contains("apiPolicies.request[0]: "),
                "{complaint}"
            );
            assert!(complaint.contains("header: "), "{complaint}");
            assert!(complaint.contains(name), "{complaint}");
        }
    }
}

#[tokio::test]
async fn the_backend_jwt_survives_a_client_that_calls_it_hop_by_hop() {
    let (gateway, _, idp) = serving("[{target: '/test', verb: GET}]").await;
    let token = idp.token(&json!({}));
    let response = gateway
        .raw(&format!(
            "GET /orders/1.0.0/test HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\
             Connection: close, X-JWT-Assertion, x_jwt_assertion, X-Mine\r\nX-JWT-Assertion: forged\r\n\
             X_JWT_Assertion: forged\r\nX-Mine: 1\r\nTE: trailers\r\nKeep-Alive: 1\r\nUpgrade: h2c\r\n\
             Proxy-Authorization: x\r\nProxy: x\r\n\r\n"
        ))
        .await;
    let (_, body) = response.split_once("\r\n\r\n").unwrap();
    let seen: serde_json::Value = serde_json::from_str(body).unwrap();
    let jwt = seen["headers"]["x-jwt-assertion"][0].as_str().unwrap();
    assert_eq!(idp::part(jwt, 1)["sub"], "alice");
    let names: Vec<_> = seen["headers"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let expected = [
        "cdn-loop",
        "host",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-jwt-assertion",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_token_that_the_client_calls_hop_by_hop_is_no_token() {
    let (gateway, _, idp) = serving("[{target: '/test', verb: GET}]").await;
    let token = idp.token(&json!({}));
    let response = gateway
        .raw(&format!(
            "GET /orders/1.0.0/test HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\
             Connection: close, Authorization\r\n\r\n"
        ))
        .await;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
}

#[tokio::test]
async fn a_forged_backend_jwt_as_a_trailer_does_not_pass() {
    let (gateway, _, idp) = serving("[{target: '/test', verb: POST}]").await;
    let token = idp.token(&json!({}));
    let response = gateway
        .raw(&format!(
            "POST /orders/1.0.0/test HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
             Trailer: X-JWT-Assertion\r\nTransfer-Encoding: chunked\r\n\r\n\
             4\r\ndata\r\n0\r\nX-JWT-Assertion: forged\r\nAuthorization: forged\r\n\r\n"
        ))
        .await;
    let (_, body) = response.split_once("\r\n\r\n").unwrap();
    let seen: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(seen["body"], "data");
    assert_eq!(seen["trailers"], serde_json::Value::Null);
    assert_eq!(
        idp::part(seen["headers"]["x-jwt-assertion"][0].as_str().unwrap(), 1)["sub"],
        "alice"
    );
}

#[tokio::test]
async fn a_request_with_two_lengths_is_read_in_one_way() {
    let (gateway, ..) = serving("[{target: '/test', verb: POST, secured: false}]").await;
    let response = gateway
        .raw(
            "POST /orders/1.0.0/test HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 999\r\n\
             Transfer-Encoding: chunked\r\n\r\n4\r\ndata\r\n0\r\n\r\n",
        )
        .await;
    if response.starts_with("HTTP/1.1 200 ") {
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        let seen: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(seen["body"], "data");
        assert_eq!(seen["headers"].get("content-length"), None);
    } else {
        assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    }
}

#[tokio::test]
async fn the_response_never_carries_a_backend_jwt() {
    let (gateway, _, idp) =
        serving("[{target: '/leak', verb: GET}, {target: '/leak', verb: POST, secured: false}]")
            .await;
    let token = bearer(&idp.token(&json!({})));
    for (method, headers) in [
        ("GET", &[("Authorization", token.as_str())][..]),
        ("POST", &[]),
    ] {
        let answer = gateway
            .send(method, "/orders/1.0.0/leak", headers, "")
            .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["x-kept"], "kept");
        for name in ["x-jwt-assertion", "x_jwt_assertion", "proxy-authenticate"] {
            assert!(!answer.headers.contains_key(name), "{method} {name}");
        }
    }
}
