//! `AddHeader`, `SetHeader` and `RemoveHeader`, on requests and on responses. That trailers are left
//! alone is tested where trailers go through: `tls`.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use serde_json::{Value, json};

use crate::{
    backend::Backend,
    gateway::{Files, Gateway, bearer, conf, conf_for, minting},
    idp::{self, Idp},
};

const ALL: &str = "apiPolicies:
  request:
    - {policyName: SetHeader, parameters: {headerName: X-Tenant, headerValue: blue}}
    - {policyName: AddHeader, parameters: {headerName: X-Tag, headerValue: api}}
    - {policyName: RemoveHeader, parameters: {headerName: X-Debug}}
    - {policyName: BackendJwt, parameters: {}}
  response:
    - {policyName: SetHeader, parameters: {headerName: X-Frame-Options, headerValue: DENY}}
    - {policyName: AddHeader, parameters: {headerName: Set-Cookie, headerValue: site=1}}
    - {policyName: RemoveHeader, parameters: {headerName: X-Powered-By}}
";

/// `/own` has policies of its own.
const OPERATIONS: &str = "
  - {target: /test, verb: GET}
  - {target: /open, verb: GET, secured: false}
  - target: /own
    verb: GET
    operationPolicies:
      request:
        - {policyName: RemoveHeader, parameters: {headerName: X-Tenant}}
        - {policyName: AddHeader, parameters: {headerName: X-Tag, headerValue: own}}
      response:
        - {policyName: SetHeader, parameters: {headerName: X-Frame-Options, headerValue: SAMEORIGIN}}";

async fn serving() -> (Gateway, Backend, String) {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let api = conf(&backend, OPERATIONS) + ALL;
    let gateway = Files::new(&idp).api(&api).start();
    (gateway, backend, bearer(&idp.token(&json!({}))))
}

/// The fields that the service behind has seen, by name.
fn seen(body: &Value, name: &str) -> Value {
    body["headers"][name].clone()
}

#[tokio::test]
async fn a_request_has_the_headers_that_the_author_wants() {
    let (gateway, _, token) = serving().await;
    let headers = [
        ("Authorization", token.as_str()),
        ("X-Tenant", "red"),
        ("X_Tenant", "red"),
        ("x.tenant", "red"),
        ("X-Tag", "caller"),
        ("X-Debug", "1"),
        ("X_Debug", "1"),
        ("X-Other", "kept"),
    ];
    let body = gateway.get("/orders/1.0.0/test", &headers).await.json();
    assert_eq!(seen(&body, "x-tenant"), json!(["blue"]));
    assert_eq!(seen(&body, "x-tag"), json!(["caller", "api"]));
    assert_eq!(seen(&body, "x-other"), json!(["kept"]));
    for name in [
        "x_tenant",
        "x.tenant",
        "x-debug",
        "x_debug",
        "authorization",
    ] {
        assert_eq!(seen(&body, name), Value::Null, "{name}");
    }
    let jwt = seen(&body, "x-jwt-assertion");
    assert_eq!(idp::part(jwt[0].as_str().unwrap(), 1)["sub"], "alice");
}

#[tokio::test]
async fn a_response_has_the_headers_that_the_author_wants() {
    let (gateway, _, token) = serving().await;
    let headers = [
        ("Authorization", token.as_str()),
        ("Answer-With", "X-Frame-Options: ALLOWALL"),
        ("Answer-With", "X_Frame_Options: ALLOWALL"),
        ("Answer-With", "Set-Cookie: session=1"),
        ("Answer-With", "X-Powered-By: a"),
        ("Answer-With", "x_powered_by: b"),
        ("Answer-With", "X-Other: kept"),
    ];
    let answer = gateway.get("/orders/1.0.0/test", &headers).await;
    let all = |name: &str| -> Vec<_> { answer.headers.get_all(name).iter().collect() };
    assert_eq!(all("x-frame-options"), ["DENY"]);
    assert_eq!(all("set-cookie"), ["session=1", "site=1"]);
    assert_eq!(all("x-other"), ["kept"]);
    for name in [
        "x_frame_options",
        "x-powered-by",
        "x_powered_by",
        "x-tenant",
        "x-tag",
    ] {
        assert!(all(name).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn an_operation_has_its_own_policies_after_the_apis() {
    let (gateway, _, token) = serving().await;
    let headers = [("Authorization", token.as_str()), ("X-Tenant", "red")];
    let answer = gateway.get("/orders/1.0.0/own", &headers).await;
    assert_eq!(answer.headers["x-frame-options"], "SAMEORIGIN");
    assert_eq!(answer.headers["set-cookie"], "site=1");
    let body = answer.json();
    assert_eq!(seen(&body, "x-tenant"), Value::Null);
    assert_eq!(seen(&body, "x-tag"), json!(["api", "own"]));
    assert!(seen(&body, "x-jwt-assertion").is_array());
}

#[tokio::test]
async fn an_open_operation_has_the_apis_policies_too() {
    let (gateway, ..) = serving().await;
    let answer = gateway
        .get(
            "/orders/1.0.0/open",
            &[("X-Tenant", "red"), ("X-JWT-Assertion", "forged")],
        )
        .await;
    assert_eq!(answer.headers["x-frame-options"], "DENY");
    let body = answer.json();
    assert_eq!(seen(&body, "x-tenant"), json!(["blue"]));
    assert_eq!(seen(&body, "x-jwt-assertion"), Value::Null);
}

#[tokio::test]
async fn what_a_policy_sets_cannot_be_taken_off_through_connection() {
    let (gateway, _, token) = serving().await;
    let headers = [
        ("Authorization", token.as_str()),
        ("Connection", "X-Tenant, X-Tag"),
        ("Answer-With", "Connection: X-Frame-Options, X-Other"),
        ("Answer-With", "X-Other: 1"),
    ];
    let answer = gateway.get("/orders/1.0.0/test", &headers).await;
    assert_eq!(answer.headers["x-frame-options"], "DENY");
    assert!(!answer.headers.contains_key("x-other"));
    let body = answer.json();
    assert_eq!(seen(&body, "x-tenant"), json!(["blue"]));
    assert_eq!(seen(&body, "x-tag"), json!(["api"]));
}

#[tokio::test]
async fn an_answer_of_the_gateway_itself_has_no_response_policies() {
    let (gateway, _, token) = serving().await;
    let refused = gateway.get("/orders/1.0.0/test", &[]).await;
    assert_eq!(refused.status, 401);
    assert!(!refused.headers.contains_key("x-frame-options"));
    let absent = gateway
        .get("/orders/1.0.0/none", &[("Authorization", &token)])
        .await;
    assert_eq!(absent.status, 404);
    assert!(!absent.headers.contains_key("set-cookie"));

    // Nobody listens at port 9.
    let idp = Idp::new();
    let api = conf_for(
        "http://127.0.0.1:9",
        "[{target: /test, verb: GET, secured: false}]",
    );
    let gateway = Files::new(&idp).api(&(api + ALL)).start();
    let answer = gateway.get("/orders/1.0.0/test", &[]).await;
    assert_eq!(answer.status, 502);
    assert!(!answer.headers.contains_key("x-frame-options"));
}

#[tokio::test]
async fn over_http2_it_is_the_same() {
    let (gateway, _, token) = serving().await;
    let mut http2 = gateway.http2().await;
    let request = Request::get(gateway.url("/orders/1.0.0/test"))
        .header("authorization", token)
        .header("x-tenant", "red")
        .header("x_tenant", "red")
        .header("answer-with", "x_powered_by: b")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let response = http2.send_request(request).await.unwrap();
    assert_eq!(response.headers()["x-frame-options"], "DENY");
    assert!(!response.headers().contains_key("x_powered_by"));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(seen(&body, "x-tenant"), json!(["blue"]));
    assert_eq!(seen(&body, "x_tenant"), Value::Null);
}

#[test]
fn a_header_that_is_anothers_is_refused_when_all_is_put_together() {
    let operations = "[{target: /test, verb: GET}]";
    let plain = conf_for("http://127.0.0.1:9", operations);
    let other = minting(&plain.replace("/orders", "/other")).replace("{}", "{header: X-Caller}");
    let tokens = "authentication: [{authType: OAuth2, headerName: X-Token, sendTokenToUpstream: true}, {authType: JWT, headerName: X-Own}]\n";
    for (direction, header, what) in [
        (
            "request",
            "X_JWT_Assertion",
            "`x_jwt_assertion` is for backend JWTs",
        ),
        (
            "response",
            "X-JWT-Assertion",
            "`x-jwt-assertion` is for backend JWTs",
        ),
        ("request", "x.caller", "`x.caller` is for backend JWTs"),
        ("request", "X_Token", "`x_token` is for access tokens"),
        ("request", "X-Own", "`x-own` is for access tokens"),
        ("response", "X-Token", "`x-token` is for access tokens"),
    ] {
        for entry in [
            format!(
                "{{policyName: SetHeader, parameters: {{headerName: {header}, headerValue: a}}}}"
            ),
            format!("{{policyName: RemoveHeader, parameters: {{headerName: {header}}}}}"),
        ] {
            let api = format!("{plain}{tokens}apiPolicies: {{{direction}: [{entry}]}}\n");
            let (code, complaint) = Files::new(&Idp::new()).api(&api).api(&other).check();
            assert_eq!(code, Some(2), "{complaint}");
            let field = format!("api-0.yaml: apiPolicies.{direction}[0]: parameters.headerName: ");
            assert!(complaint.contains(&(field + what)), "{complaint}");
        }
    }
}
