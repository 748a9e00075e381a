//! What is served, and what is refused by name.

use http::Method;

use super::{Access, Kind, api::Api};

mod policies;

const HEAD: &str = "name: orders
basePath: /shop/orders
version: 1.0.0
type: REST
endpointConfigurations: {production: {endpoint: 'http://127.0.0.1:9000/base'}}
operations: [{target: /test, verb: GET}]
";

fn api(text: &str) -> Api {
    Api::parse(text, None).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A conf with one thing more, or with one of its lines replaced.
fn with(line: &str) -> String {
    let field = line.split_once(':').map_or(line, |(field, _)| field);
    let kept = HEAD
        .lines()
        .filter(|had| !had.starts_with(&format!("{field}:")));
    kept.chain([line]).map(|line| format!("{line}\n")).collect()
}

#[track_caller]
fn refused(text: &str, field: &str, reason: &str) {
    let error = Api::parse(text, None).map(|_| ()).unwrap_err().to_string();
    let (_, error) = error.split_once(' ').unwrap();
    assert!(error.starts_with(&format!("{field}: ")), "{error}\n{text}");
    assert!(error.contains(reason), "{error}\n{text}");
}

#[test]
fn the_sample_conf_is_served() {
    let api = api(include_str!("../../apis/test-backend-jwt.yaml"));
    assert_eq!(
        (api.name.as_str(), api.version.as_str()),
        ("test-backend-jwt", "1.0.0")
    );
    assert_eq!(api.context, "/backend_jwt/1.0.0");
    assert_eq!(api.default_path, None);
    assert_eq!(api.endpoint.to_string(), "http://127.0.0.1:9000/anything");
    assert_eq!(api.policies[0].policy.header_name(), "x-jwt-assertion");
    let [operation] = &api.operations[..] else {
        panic!("{api:?}")
    };
    assert_eq!(operation.verb, Method::GET);
    assert_eq!(operation.access, Access::Token { scopes: vec![] });
    assert_eq!(operation.policy, Some(0));
    let [credential] = &api.authentication.credentials[..] else {
        panic!("{api:?}")
    };
    assert_eq!(
        (credential.kind, credential.header.as_str()),
        (Kind::OAuth2, "authorization")
    );
    assert!(!credential.forwarded && !credential.optional);
}

#[test]
fn a_default_version_is_served_without_the_version_too() {
    let default = api(&with("defaultVersion: true"));
    assert_eq!(default.context, "/shop/orders/1.0.0");
    assert_eq!(default.default_path.as_deref(), Some("/shop/orders"));
    assert_eq!(
        api(&with("basePath: /shop/orders/1.0.0")).context,
        "/shop/orders/1.0.0"
    );
    assert_eq!(api(&with("basePath: /")).context, "/1.0.0");
}

#[test]
fn an_operations_policy_overrides_the_apis() {
    let api = api(&with(
        "operations:
  - {target: /own, verb: GET, operationPolicies: {request: [{policyName: BackendJwt, parameters: {header: X-Own}}]}}
  - {target: /apis, verb: GET}
  - {target: /open, verb: GET, secured: false}
apiPolicies: {request: [{policyName: BackendJwt, parameters: {}}], response: []}",
    ));
    let headers: Vec<_> = api
        .operations
        .iter()
        .map(|operation| {
            operation
                .policy
                .map(|place| api.policies[place].policy.header_name().as_str())
        })
        .collect();
    assert_eq!(headers, [Some("x-own"), Some("x-jwt-assertion"), None]);
}

#[test]
fn the_two_kinds_of_token_are_read_as_configured() {
    let api = api(&with(
        "authentication:
  - {authType: OAuth2, enabled: true, required: optional, sendTokenToUpstream: true, headerName: testAuth, headerEnable: true}
  - {authType: JWT, headerName: custom-jwt, audience: [aud1]}
  - {authType: APIKey, enabled: false}",
    ));
    let [oauth2, jwt] = &api.authentication.credentials[..] else {
        panic!("{api:?}")
    };
    assert_eq!(
        (oauth2.kind, oauth2.header.as_str(), oauth2.forwarded),
        (Kind::OAuth2, "testauth", true)
    );
    assert_eq!(
        (jwt.kind, jwt.header.as_str(), jwt.forwarded),
        (Kind::Jwt, "custom-jwt", false)
    );
    assert_eq!(jwt.audiences, ["aud1"]);
    assert!(
        !oauth2.optional,
        "the other one is mandatory, so a caller needs one of the two"
    );
    assert_eq!(api.authentication.hidden, ["custom-jwt"]);
}

#[test]
fn with_authentication_disabled_every_operation_is_open() {
    let api = api(&with(
        "authentication: [{authType: OAuth2, enabled: false}]",
    ));
    assert_eq!(api.operations[0].access, Access::Open);
    assert_eq!(api.authentication.hidden, ["authorization"]);
}

#[test]
fn no_operation_is_open_because_other_kinds_of_token_are_switched_off() {
    for list in [
        "[{authType: APIKey, enabled: false}]",
        "[{authType: mTLS, enabled: false}, {authType: APIKey, enabled: false}]",
        "[{authType: JWT, headerName: x-token, enabled: false}]",
        "[{authType: JWT, headerName: Authorization, enabled: false}]",
        "[]",
    ] {
        let api = api(&with(&format!("authentication: {list}")));
        assert_ne!(api.operations[0].access, Access::Open, "{list}");
        let [usual] = &api.authentication.credentials[..] else {
            panic!("{list}: {api:?}")
        };
        assert_eq!(
            (usual.kind, usual.header.as_str(), usual.optional),
            (Kind::OAuth2, "authorization", false)
        );
        let hidden = &api.authentication.hidden;
        assert!(hidden.iter().any(|name| name == "authorization"), "{list}");
    }
}

#[test]
fn an_endpoint_may_be_a_list_of_one() {
    let one = with("endpointConfigurations: {production: [{endpoint: 'http://a'}]}");
    assert_eq!(api(&one).endpoint.to_string(), "http://a");
}

#[test]
fn what_is_switched_off_is_no_obstacle() {
    for line in [
        "subscriptionValidation: false",
        "corsConfiguration: {corsConfigurationEnabled: false, accessControlAllowOrigins: ['*']}",
        "rateLimit:",
        "additionalProperties: []",
        "endpointConfigurations: {production: {endpoint: 'http://a', endpointSecurity: {enabled: false}}}",
        "apiPolicies: {request: [], response: []}",
        "id: my-api",
    ] {
        api(&with(line));
    }
}

#[test]
fn what_the_gateway_does_not_do_is_refused_by_name() {
    for (line, field) in [
        ("type: GRAPHQL", "type"),
        (
            "corsConfiguration: {corsConfigurationEnabled: true}",
            "corsConfiguration",
        ),
        ("rateLimit: {requestsPerUnit: 5, unit: Minute}", "rateLimit"),
        ("definitionPath: /docs", "definitionPath"),
        (
            "additionalProperties: [{name: a, value: b}]",
            "additionalProperties",
        ),
        (
            "endpointConfigurations: {production: {endpoint: 'http://a'}, sandbox: {endpoint: 'http://b'}}",
            "endpointConfigurations.sandbox",
        ),
        (
            "endpointConfigurations: {production: [{endpoint: 'http://a'}, {endpoint: 'http://b'}]}",
            "endpointConfigurations.production",
        ),
        (
            "endpointConfigurations: {production: {endpoint: {name: a, namespace: b, port: 80}}}",
            "endpointConfigurations.production.endpoint",
        ),
        (
            "endpointConfigurations: {production: {endpoint: 'http://a', resiliency: {timeout: {}}}}",
            "endpointConfigurations.production.resiliency",
        ),
        (
            "endpointConfigurations: {production: {endpoint: 'http://a', certificate: {secretName: a}}}",
            "endpointConfigurations.production.certificate",
        ),
        (
            "endpointConfigurations: {production: {endpoint: 'http://a', endpointSecurity: {enabled: true}}}",
            "endpointConfigurations.production.endpointSecurity",
        ),
        (
            "endpointConfigurations: {production: {endpoint: 'ws://a'}}",
            "endpointConfigurations.production.endpoint",
        ),
        (
            "operations: [{target: /a, verb: TRACE}]",
            "operations[0].verb",
        ),
        (
            "operations: [{target: /a, verb: GET, rateLimit: {unit: Day}}]",
            "operations[0].rateLimit",
        ),
        (
            "operations: [{target: /a, verb: GET, endpointConfigurations: {production: {endpoint: 'http://a'}}}]",
            "operations[0].endpointConfigurations",
        ),
        (
            "authentication: [{authType: mTLS, certificates: []}]",
            "authentication[0].authType",
        ),
        (
            "authentication: [{authType: APIKey}]",
            "authentication[0].authType",
        ),
        (
            "authentication: [{authType: OAuth2, queryParamEnable: true}]",
            "authentication[0].queryParamEnable",
        ),
        (
            "authentication: [{authType: OAuth2, queryParamName: token}]",
            "authentication[0].queryParamName",
        ),
        (
            "authentication: [{authType: OAuth2, headerEnable: false}]",
            "authentication[0].headerEnable",
        ),
        (
            "operations: [{target: /a, verb: GET, operationPolicies: {request: [{policyName: RequestMirror}]}}]",
            "operations[0].operationPolicies.request[0]",
        ),
    ] {
        refused(&with(line), field, "not implemented by this gateway");
    }
}

#[test]
fn what_is_not_in_the_form_is_refused_by_name() {
    for (line, field, reason) in [
        ("nme: x", "nme", "unknown field `nme`"),
        ("name: ''", "name", "1 to 60 characters"),
        ("basePath: orders", "basePath", "not a path"),
        ("basePath: /a/../b", "basePath", "dot segment"),
        ("version: '1 0'", "version", "character"),
        ("version: ..", "version", "dot segment"),
        ("type: REST2", "type", "`REST2`"),
        ("operations: []", "operations", "at least one"),
        (
            "operations: [{target: /a}]",
            "operations[0]",
            "missing field `verb`",
        ),
        (
            "operations: [{target: /a, verb: get}]",
            "operations[0].verb",
            "`get`",
        ),
        (
            "operations: [{target: '/a.{b}', verb: GET}]",
            "operations[0].target",
            "whole segments",
        ),
        (
            "operations: [{target: /a, verb: GET, secured: 1}]",
            "operations[0].secured",
            "boolean",
        ),
        (
            "operations: [{target: /a, verb: GET, secured: false, scopes: [a]}]",
            "operations[0].scopes",
            "none is asked",
        ),
        (
            "operations: [{target: /a, verb: GET, secured: false, operationPolicies: {request: [{policyName: BackendJwt, parameters: {}}]}}]",
            "operations[0].operationPolicies.request",
            "none is asked for",
        ),
        (
            "authentication: [{authType: Basic}]",
            "authentication[0].authType",
            "unknown authentication type `Basic`",
        ),
        (
            "authentication: [{authType: OAuth2, required: maybe}]",
            "authentication[0].required",
            "unknown variant",
        ),
        (
            "authentication: [{authType: OAuth2, audience: [a]}]",
            "authentication[0].audience",
            "only `JWT`",
        ),
        (
            "authentication: [{authType: JWT}]",
            "authentication[0].headerName",
            "missing",
        ),
        (
            "authentication: [{authType: OAuth2}, {authType: OAuth2}]",
            "authentication[1].authType",
            "a second `OAuth2`",
        ),
        (
            "authentication: [{authType: OAuth2}, {authType: JWT, headerName: Authorization}]",
            "authentication[1].headerName",
            "another kind",
        ),
        (
            "apiPolicies: {request: [{policyName: Foo}]}",
            "apiPolicies.request[0]",
            "unknown policy `Foo`",
        ),
        (
            "apiPolicies: {request: [{parameters: {}}]}",
            "apiPolicies.request[0]",
            "`policyName`",
        ),
        (
            "apiPolicies: {request: [{policyName: BackendJwt, parameters: {signingAlgorithm: NONE}}]}",
            "apiPolicies.request[0]",
            "parameters.signingAlgorithm",
        ),
        (
            "apiPolicies: {request: [{policyName: BackendJwt, parameters: {tokenTtl: 1}}]}",
            "apiPolicies.request[0]",
            "tokenTtl",
        ),
        (
            "apiPolicies: {request: [{policyName: BackendJwt, parameters: {}}, {policyName: BackendJwt, parameters: {}}]}",
            "apiPolicies.request[1]",
            "a second BackendJwt",
        ),
    ] {
        refused(&with(line), field, reason);
    }
}

#[test]
fn a_backend_jwt_for_nobody_is_refused() {
    let text = with(
        "authentication: [{authType: OAuth2, enabled: false}]
apiPolicies: {request: [{policyName: BackendJwt, parameters: {}}]}",
    );
    refused(&text, "apiPolicies.request", "made from an access token");
}

#[test]
fn an_api_for_another_environment_is_refused() {
    let text = with("environment: dev");
    refused(
        &text,
        "environment",
        "the API is for `dev`, the gateway is set to no environment",
    );
    assert!(Api::parse(&text, Some("dev")).is_ok());
    assert!(Api::parse(&text, Some("prod")).is_err());
    assert!(Api::parse(HEAD, Some("prod")).is_ok());
}
