//! All that is wrong with an apk-conf, not only what is found first.
//!
//! Reading a conf ends at its first fault. So the fault is noted and mended in a draft, which is read
//! again: what a conf needs is replaced by a sample, the rest is taken out.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    conf::Node,
    draft::{Draft, Step, steps},
};
use crate::error::Fault;

/// The most that are looked for.
const MOST: usize = 32;

/// The longest text about one: it may quote from the conf.
const LONGEST: usize = 300;

/// By place, as a JSON pointer in a fragment: `#/operations/0/verb`.
pub(super) type Faults = BTreeMap<String, String>;

/// Reads a conf, or says all that is wrong with it.
pub(super) fn collect<T>(
    conf: &Node,
    read: impl Fn(Value) -> Result<T, Fault>,
) -> Result<T, Faults> {
    let mut draft = Draft::new(conf);
    let mut faults = Faults::new();
    for _ in 0..MOST {
        let fault = match read(draft.value()) {
            Ok(outcome) if faults.is_empty() => return Ok(outcome),
            Ok(_) => break,
            Err(fault) => fault,
        };
        let (place, message) = draft.place(&fault);
        // What is wrong around something that was mended, is wrong because it was.
        if !draft.is_mended_in(&place) {
            faults
                .entry(pointer(&place))
                .or_insert_with(|| short(message));
        }
        if !draft.mend(place) {
            break;
        }
    }
    Err(faults)
}

/// What is wrong with a conf that can be read.
pub(super) fn one(conf: &Node, fault: &Fault) -> Faults {
    let draft = Draft::new(conf);
    let (place, message) = draft.place(fault);
    Faults::from([(pointer(&place), short(message))])
}

/// A field as it is written in YAML, as a pointer.
pub(super) fn pointer_of(field: &str) -> String {
    pointer(&steps(field))
}

/// A text that is not too long to show.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// RFC 6901, in a fragment.
fn pointer(place: &[Step]) -> String {
    let steps = place.iter().map(|step| match step {
        Step::Member(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        Step::Item(index) => format!("/{index}"),
    });
    format!("#{}", short(&steps.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{apk_conf::Api, deployer::conf::Conf};

    fn faults(text: &str) -> Vec<(String, String)> {
        let conf = Conf::parse(text, Path::new("")).unwrap();
        let faults = collect(conf.node(), |value| Api::from_value(value, None)).unwrap_err();
        faults.into_iter().collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)]) {
        let faults = faults(text);
        let places: Vec<_> = faults.iter().map(|(place, _)| place.as_str()).collect();
        let wanted: Vec<_> = expected.iter().map(|(place, _)| *place).collect();
        assert_eq!(places, wanted, "{faults:?}");
        for ((_, message), (_, part)) in faults.iter().zip(expected) {
            assert!(message.contains(part), "{faults:?}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_place_in_the_conf_that_was_sent() {
        check(
            "name: 5
basePath: /a/../b
version: 1.10
type: GRPC
extra/~: 1
environment: other
endpointConfigurations: {production: {endpoint: 'ftp://a'}, sandbox: {endpoint: 'http://a'}}
corsConfiguration: {corsConfigurationEnabled: true}
operations:
- {target: /a, verb: get}
- {target: /b, verb: GET, secured: 'no', scopes: [1]}
- 5
- {target: '/c*', verb: GET, rateLimit: {unit: Minute}}
- {verb: GET}
- {}
authentication:
- {authType: JWT}
- {authType: OAuth2, enabled: 1}
- {authType: Magic}
apiPolicies:
  request:
  - {policyName: Interceptor}
  - {policyName: BackendJwt, parameters: {tokenTTL: 1h, encoding: hex, other: 1}}
",
            &[
                ("#/apiPolicies/request/0", "Interceptor"),
                ("#/apiPolicies/request/1/parameters/encoding", "Base64url"),
                ("#/apiPolicies/request/1/parameters/other", ""),
                (
                    "#/apiPolicies/request/1/parameters/tokenTTL",
                    "is not a whole number",
                ),
                ("#/authentication/0/headerName", "missing"),
                ("#/authentication/1/enabled", "expected a boolean"),
                ("#/authentication/2/authType", "Magic"),
                ("#/basePath", "dot segment"),
                ("#/corsConfiguration", "not implemented"),
                ("#/endpointConfigurations/production/endpoint", "ftp"),
                ("#/endpointConfigurations/sandbox", "not implemented"),
                ("#/environment", "other"),
                ("#/extra~1~0", "unknown field"),
                ("#/name", "expected a string"),
                ("#/operations/0/verb", "get"),
                ("#/operations/1/scopes/0", "expected a string"),
                ("#/operations/1/secured", "expected a boolean"),
                ("#/operations/2", "expected struct"),
                ("#/operations/3/rateLimit", "not implemented"),
                ("#/operations/3/target", "whole segments"),
                ("#/operations/4/target", "missing field"),
                ("#/operations/5/target", "missing field"),
                ("#/operations/5/verb", "missing field"),
                ("#/type", "GRPC"),
                ("#/version", "expected a string"),
            ],
        );
    }

    #[test]
    fn a_fault_of_a_conf_that_can_be_read_has_its_place() {
        let text = "apiPolicies: {request: [{policyName: BackendJwt, parameters: {issuer: a}}]}";
        let conf = Conf::parse(text, Path::new("")).unwrap();
        let fault = Fault::new("apiPolicies.request[0]", "parameters.issuer: is another's");
        let place = "#/apiPolicies/request/0/parameters/issuer".to_owned();
        let faults = Faults::from([(place, "is another's".to_owned())]);
        assert_eq!(one(conf.node(), &fault), faults);
    }

    #[test]
    fn what_a_conf_needs_is_missed() {
        check(
            "{}",
            &[
                ("#/basePath", "missing field"),
                ("#/endpointConfigurations", "missing field"),
                ("#/name", "missing field"),
                ("#/operations", "missing field"),
                ("#/version", "missing field"),
            ],
        );
        let head = "name: a\nbasePath: /a\nversion: '1'\n";
        let endpoint = "endpointConfigurations: {production: {endpoint: 'http://a'}}\n";
        check(
            &format!("{head}{endpoint}operations: []\n"),
            &[("#/operations", "at least one")],
        );
        check(
            &format!("{head}endpointConfigurations: {{production: []}}\noperations: [{{}}]\n"),
            &[
                ("#/endpointConfigurations/production", "the list is empty"),
                ("#/operations/0/target", "missing field"),
                ("#/operations/0/verb", "missing field"),
            ],
        );
    }

    #[test]
    fn many_faults_are_not_looked_for_for_ever() {
        let operations = "- {target: /, verb: X}\n".repeat(1000);
        let faults = faults(&format!(
            "name: {}\noperations:\n{operations}",
            "x".repeat(5000)
        ));
        assert_eq!(faults.len(), MOST);
        assert!(faults.iter().all(|(_, message)| message.len() < 400));
    }

    #[test]
    fn odd_names_do_not_confuse() {
        for name in [
            "a.b",
            "a[0]",
            "[",
            "]",
            "?",
            ".",
            "",
            "operations[0]",
            "missing field `x`",
            ": ",
            "\u{1F600}",
        ] {
            let text = format!(
                "name: a\nbasePath: /a\nversion: '1'\noperations: [{{target: /, verb: GET}}]\n{}: 1\n\
                 endpointConfigurations: {{production: {{endpoint: 'http://a'}}}}\n",
                serde_json::to_string(name).unwrap()
            );
            let faults = faults(&text);
            assert!(
                faults[0].1.starts_with("unknown field"),
                "{name}: {faults:?}"
            );
        }
    }
}
