//! Header policies.

use super::{api, refused, with};
use crate::apk_conf::Placed;

fn entry(name: &str, parameters: &str) -> String {
    format!("{{policyName: {name}, policyVersion: v1, policyId: a, parameters: {parameters}}}")
}

fn for_all(direction: &str, entry: &str) -> String {
    with(&format!("apiPolicies: {{{direction}: [{entry}]}}"))
}

fn places(policies: &[Placed]) -> Vec<(&str, &str)> {
    policies
        .iter()
        .map(|placed| (placed.field.as_str(), placed.policy.name().as_str()))
        .collect()
}

#[test]
fn the_apis_header_policies_are_kept_once_beside_the_operations_own() {
    let one = |header: &str| entry("RemoveHeader", &format!("{{headerName: {header}}}"));
    let (a, b, c, d) = (one("A"), one("B"), one("C"), one("D"));
    let api = api(&with(&format!(
        "operations:
  - {{target: /own, verb: GET, operationPolicies: {{request: [{c}], response: [{d}, {a}]}}}}
  - {{target: /open, verb: GET, secured: false}}
apiPolicies: {{request: [{a}, {{policyName: BackendJwt, parameters: {{}}}}, {b}], response: [{b}]}}"
    )));
    let [own, open] = &api.operations[..] else {
        panic!("{api:?}")
    };
    let both = [
        ("apiPolicies.request[0]", "a"),
        ("apiPolicies.request[2]", "b"),
    ];
    assert_eq!(places(&api.headers.request), both);
    let third = ("apiPolicies.response[0]", "b");
    assert_eq!(places(&api.headers.response), [third]);
    let own_request = ("operations[0].operationPolicies.request[0]", "c");
    assert_eq!(places(&own.headers.request), [own_request]);
    assert_eq!(
        places(&own.headers.response),
        [
            ("operations[0].operationPolicies.response[0]", "d"),
            ("operations[0].operationPolicies.response[1]", "a"),
        ]
    );
    assert_eq!(places(&open.headers.request), []);
    assert_eq!((own.policy, open.policy), (Some(0), None));
}

#[test]
fn a_value_is_in_no_debug_output() {
    let set = entry("SetHeader", "{headerName: X-Key, headerValue: s3cret}");
    let api = api(&for_all("request", &set));
    assert!(!format!("{api:?}").contains("s3cret"));
}

#[test]
fn a_header_policy_that_is_not_in_the_form_is_refused_by_name() {
    for (name, parameters, reason) in [
        (
            "SetHeader",
            "{headerValue: b}",
            "missing field `headerName`",
        ),
        (
            "SetHeader",
            "{headerName: a}",
            "missing field `headerValue`",
        ),
        (
            "AddHeader",
            "{headerName: a}",
            "missing field `headerValue`",
        ),
        (
            "AddHeader",
            "{headerName: a, headerValue: }",
            "missing field `headerValue`",
        ),
        (
            "AddHeader",
            "{headerName: a, headerValue: 1}",
            "parameters.headerValue: invalid type",
        ),
        (
            "AddHeader",
            "{headerName: a, value: b}",
            "unknown field `value`",
        ),
        (
            "RemoveHeader",
            "{headerName: a, headerValue: b}",
            "parameters.headerValue: ",
        ),
        (
            "RemoveHeader",
            "{headerName: ''}",
            "parameters.headerName: `` is no header",
        ),
        ("RemoveHeader", "{headerName: 'a b'}", "`a b` is no header"),
        ("RemoveHeader", "{headerName: 'a:'}", "`a:` is no header"),
        (
            "RemoveHeader",
            "{headerName: \"a\\r\\nb\"}",
            "`a\\r\\nb` is no header",
        ),
        (
            "RemoveHeader",
            "{headerName: ':path'}",
            "`:path` is no header",
        ),
        (
            "SetHeader",
            "{headerName: a, headerValue: ''}",
            "headerValue: is empty",
        ),
        (
            "SetHeader",
            "{headerName: a, headerValue: ' b'}",
            "white space",
        ),
        (
            "SetHeader",
            "{headerName: a, headerValue: \"b\\r\\nc: d\"}",
            "a line break perhaps",
        ),
        (
            "SetHeader",
            "{headerName: a, headerValue: \"b\\nc\"}",
            "a line break perhaps",
        ),
        (
            "SetHeader",
            "{headerName: a, headerValue: \"b\\n\"}",
            "white space",
        ),
        (
            "SetHeader",
            "{headerName: a, headerValue: \"b\\0c\"}",
            "visible ASCII",
        ),
        (
            "SetHeader",
            "{headerName: a, headerValue: 'ü'}",
            "visible ASCII",
        ),
        (
            "SetHeader",
            "{headerName: Content_Length, headerValue: '1'}",
            "frames the message",
        ),
        (
            "SetHeader",
            "{headerName: Authorization, headerValue: a}",
            "is for credentials",
        ),
        (
            "setHeader",
            "{headerName: a, headerValue: b}",
            "unknown policy `setHeader`",
        ),
        ("SetHeader", "[]", "parameters: "),
    ] {
        for direction in ["request", "response"] {
            let text = for_all(direction, &entry(name, parameters));
            refused(&text, &format!("apiPolicies.{direction}[0]"), reason);
        }
    }
    let forwarded = entry("RemoveHeader", "{headerName: X-Forwarded-For}");
    let reason = "`x-forwarded-for` is one that only the gateway may set";
    refused(
        &for_all("request", &forwarded),
        "apiPolicies.request[0]",
        reason,
    );
    let own = with(&format!(
        "operations: [{{target: /a, verb: GET, operationPolicies: {{request: [{forwarded}]}}}}]"
    ));
    refused(&own, "operations[0].operationPolicies.request[0]", reason);
}

#[test]
fn what_has_no_parameters_is_refused() {
    for (entry, reason) in [
        ("{policyName: SetHeader}", "missing field `parameters`"),
        ("{policyName: SetHeader, parameters: }", "parameters: "),
        (
            "{policyName: SetHeader, paramters: {}}",
            "unknown field `paramters`",
        ),
        ("{policyName: 1}", "missing field `policyName`"),
    ] {
        for direction in ["request", "response"] {
            let field = format!("apiPolicies.{direction}[0]");
            refused(&for_all(direction, entry), &field, reason);
        }
    }
}

#[test]
fn policies_that_are_not_there_are_refused_by_name() {
    let names = ["Interceptor", "RequestMirror", "RequestRedirect"];
    let message = "not implemented by this gateway";
    for name in names {
        let entry = format!("{{policyName: {name}}}");
        let reason = format!("{name}: {message}");
        refused(
            &for_all("request", &entry),
            "apiPolicies.request[0]",
            &reason,
        );
        refused(
            &for_all("response", &entry),
            "apiPolicies.response[0]",
            &reason,
        );
    }
    // APK takes it there, and does nothing.
    let jwt = entry("BackendJwt", "{}");
    let reason = format!("BackendJwt: {message}");
    refused(
        &for_all("response", &jwt),
        "apiPolicies.response[0]",
        &reason,
    );
}
