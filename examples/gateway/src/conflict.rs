//! Why two APIs cannot be served at the same time.

use http::HeaderName;

use crate::{
    apk_conf::{Api, Minting, Placed},
    error::Fault,
    fold::alike,
    target::Prefix,
};

/// What an API has that another one does not let it have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Conflict {
    /// The other one is served at this path.
    Path(String),
    /// A header that holds backend JWTs for the one, and what callers send for the other. Both may have
    /// the same service behind them.
    Header(Fault),
}

impl Conflict {
    /// What is wrong with the API that came later.
    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::Path(path) => {
                Fault::new("basePath", format!("another API is served at `{path}`"))
            }
            Self::Header(fault) => fault,
        }
    }
}

/// Why `api` cannot be served beside `other`.
pub(crate) fn between(api: &Api, other: &Api) -> Option<Conflict> {
    let taken = api
        .paths()
        .find(|path| other.paths().any(|had| is_same_place(path, had)));
    if let Some(path) = taken {
        return Some(Conflict::Path(path.to_owned()));
    }
    let who = format!("the API `{}` {}", other.name, other.version);
    if let Some((minting, header)) = minted_and_shown(api, other) {
        let why = format!("{who} lets access tokens go on in `{header}`");
        return Some(Conflict::Header(Fault::new(&minting.field, why)));
    }
    if let Some((_, header)) = minted_and_shown(other, api) {
        let why =
            format!("`{header}` is for backend JWTs of {who}, so no access token can go on in it");
        return Some(Conflict::Header(Fault::new("authentication", why)));
    }
    if let Some((minting, placed)) = minted_and_set(api, other) {
        let why = format!("{who} has a policy for `{}`", placed.policy.name());
        return Some(Conflict::Header(Fault::new(&minting.field, why)));
    }
    let (_, placed) = minted_and_set(other, api)?;
    let why = format!("`{}` is for backend JWTs of {who}", placed.policy.name());
    Some(Conflict::Header(Fault::new(&placed.field, why)))
}

fn is_same_place(one: &str, other: &str) -> bool {
    Prefix::new(one) == Prefix::new(other)
}

/// A policy of the one API, and the header of the other's that is taken for its own.
fn minted_and_shown<'a>(
    minting: &'a Api,
    showing: &'a Api,
) -> Option<(&'a Minting, &'a HeaderName)> {
    let shown = &showing.authentication.shown;
    minting.policies.iter().find_map(|minting| {
        let own = minting.policy.header_name();
        let header = shown.iter().find(|header| alike(header, own))?;
        Some((minting, header))
    })
}

/// A policy of the one API, and the header policy of the other that would write what it writes.
fn minted_and_set<'a>(minting: &'a Api, setting: &'a Api) -> Option<(&'a Minting, &'a Placed)> {
    minting.policies.iter().find_map(|minting| {
        let own = minting.policy.header_name();
        let mut placed = setting.operations.iter().flat_map(|operation| {
            let headers = &operation.headers;
            headers.request.iter().chain(&headers.response)
        });
        let placed = placed.find(|placed| alike(placed.policy.name(), own))?;
        Some((minting, placed))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn api(base_path: &str, more: &str) -> Api {
        let text = format!(
            "name: a\nbasePath: {base_path}\nversion: '1'\noperations: [{{target: /, verb: GET}}]\n\
             endpointConfigurations: {{production: {{endpoint: 'http://127.0.0.1:9'}}}}\n{more}"
        );
        Api::from_yaml(&text, Path::new("a.yaml"), None).unwrap()
    }

    #[track_caller]
    fn check(api: &Api, other: &Api, expected: Option<&str>) {
        let fault = between(api, other).map(|conflict| conflict.fault().to_string());
        assert_eq!(fault.as_deref(), expected);
    }

    const MINTING: &str =
        "apiPolicies: {request: [{policyName: BackendJwt, parameters: {header: X-Who}}]}";
    const SHOWING: &str =
        "authentication: [{authType: JWT, headerName: x_who, sendTokenToUpstream: true}]";

    #[test]
    fn apis_at_different_paths_are_served_beside_each_other() {
        check(&api("/a", MINTING), &api("/b", MINTING), None);
        check(&api("/a", ""), &api("/a/b", SHOWING), None);
    }

    #[test]
    fn a_path_is_served_once_however_it_is_spelled() {
        check(
            &api("/%61", ""),
            &api("/a", ""),
            Some("basePath: another API is served at `/%61/1`"),
        );
        check(
            &api("/a/1", "defaultVersion: true"),
            &api("/b/..b", ""),
            None,
        );
    }

    #[test]
    fn what_one_api_mints_no_policy_of_another_sets() {
        let setting = "apiPolicies: {response: [{policyName: RemoveHeader, parameters: {headerName: X_Who}}]}";
        check(
            &api("/a", MINTING),
            &api("/b", setting),
            Some("apiPolicies.request[0]: the API `a` 1 has a policy for `x_who`"),
        );
        check(
            &api("/a", setting),
            &api("/b", MINTING),
            Some("apiPolicies.response[0]: `x_who` is for backend JWTs of the API `a` 1"),
        );
    }

    #[test]
    fn a_header_is_either_for_backend_jwts_or_for_what_callers_send() {
        check(
            &api("/a", MINTING),
            &api("/b", SHOWING),
            Some("apiPolicies.request[0]: the API `a` 1 lets access tokens go on in `x_who`"),
        );
        check(
            &api("/a", SHOWING),
            &api("/b", MINTING),
            Some(
                "authentication: `x_who` is for backend JWTs of the API `a` 1, so no access token can go on in it",
            ),
        );
    }
}
