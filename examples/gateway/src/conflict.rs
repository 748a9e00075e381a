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
    /// The other one is served at this path, inside of it or around it.
    Path { path: String, why: String },
    /// A header that holds backend JWTs for the one, and what callers send for the other. Both may have
    /// the same service behind them.
    Header(Fault),
}

impl Conflict {
    /// What is wrong with the API that came later.
    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::Path { why, .. } => Fault::new("basePath", why),
            Self::Header(fault) => fault,
        }
    }
}

/// Why `api` cannot be served beside `other`.
pub(crate) fn between(api: &Api, other: &Api) -> Option<Conflict> {
    for path in api.paths() {
        if let Some(why) = other.paths().find_map(|had| taken(api, path, other, had)) {
            let path = path.to_owned();
            return Some(Conflict::Path { path, why });
        }
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

/// Why `api` cannot be served beside all of these.
pub(crate) fn among<'a>(
    api: &'a Api,
    others: impl IntoIterator<Item = &'a Api>,
) -> Option<Conflict> {
    let mut names: Vec<&HeaderName> = Vec::new();
    let others = others.into_iter().flat_map(Api::assertions);
    for minting in others.chain(api.assertions()) {
        let name = minting.policy.header_name();
        if names.contains(&name) {
            continue;
        }
        names.push(name);
        if names.len() > MOST_ASSERTIONS {
            let why = format!(
                "parameters.header: the policies of all APIs name more than {MOST_ASSERTIONS} headers"
            );
            return Some(Conflict::Header(Fault::new(&minting.field, why)));
        }
    }
    None
}

/// The most headers for backend JWTs. Each is looked for in every request, whichever API it is for.
const MOST_ASSERTIONS: usize = 64;

/// Why `path` cannot be one of `api` where `had` is one of `other`.
///
/// Of two that lie in one another the longer one has the requests: with it one API would take those that
/// the other one has rules for, and the tokens that come with them.
fn taken(api: &Api, path: &str, other: &Api, had: &str) -> Option<String> {
    let (own, others) = (Prefix::new(path), Prefix::new(had));
    if own == others {
        return Some(format!("another API is served at `{path}`"));
    }
    // The versions of an API lie inside of its path without a version.
    let are_versions =
        api.name == other.name && Prefix::new(api.base_path()) == Prefix::new(other.base_path());
    let is_default = |api: &Api, path| api.default_path.as_deref() == Some(path);
    if others.contains(&own) && !(are_versions && is_default(other, had)) {
        return Some(format!(
            "`{path}` is inside of `{had}`, where another API is served"
        ));
    }
    if own.contains(&others) && !(are_versions && is_default(api, path)) {
        return Some(format!(
            "another API is served at `{had}`, inside of `{path}`"
        ));
    }
    None
}

/// A policy of the one API, and the header of the other's that is taken for its own.
fn minted_and_shown<'a>(
    minting: &'a Api,
    showing: &'a Api,
) -> Option<(&'a Minting, &'a HeaderName)> {
    let shown = &showing.authentication.shown;
    minting.assertions().into_iter().find_map(|minting| {
        let own = minting.policy.header_name();
        let header = shown.iter().find(|header| alike(header, own))?;
        Some((minting, header))
    })
}

/// A policy of the one API, and the header policy of the other that would write what it writes.
fn minted_and_set<'a>(minting: &'a Api, setting: &'a Api) -> Option<(&'a Minting, &'a Placed)> {
    minting.assertions().into_iter().find_map(|minting| {
        let own = minting.policy.header_name();
        let mut placed = setting.header_policies();
        let placed = placed.find(|placed| alike(placed.policy.name(), own))?;
        Some((minting, placed))
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn api(base_path: &str, more: &str) -> Api {
        named("a", base_path, "1", more)
    }

    fn named(name: &str, base_path: &str, version: &str, more: &str) -> Api {
        let text = format!(
            "name: {name}\nbasePath: {base_path}\nversion: '{version}'\noperations: [{{target: /, verb: GET}}]\n\
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
    fn no_path_lies_inside_of_another_apis() {
        let outer = named("a", "/a", "1", "");
        let default = named("a", "/a", "1", "defaultVersion: true");
        let inside = Some("basePath: `/a/1/b` is inside of `/a/1`, where another API is served");
        for name in ["a", "b"] {
            check(&named(name, "/a/1", "b", ""), &outer, inside);
            check(
                &named(name, "/%61/1", "b", ""),
                &default,
                Some("basePath: `/%61/1/b` is inside of `/a/1`, where another API is served"),
            );
            let around = "basePath: another API is served at `/a/1/b`, inside of `/a/1`";
            check(&outer, &named(name, "/a/1", "b", ""), Some(around));
            check(&named(name, "/a/1b", "2", ""), &outer, None);
        }
    }

    #[test]
    fn the_versions_of_an_api_lie_inside_of_its_path_without_one() {
        let default = named("a", "/a", "1", "defaultVersion: true");
        let next = named("a", "/a", "2", "");
        check(&default, &next, None);
        check(&next, &default, None);
        check(
            &named("b", "/a", "2", ""),
            &default,
            Some("basePath: `/a/2` is inside of `/a`, where another API is served"),
        );
        check(
            &named("a", "/a/x", "2", ""),
            &default,
            Some("basePath: `/a/x/2` is inside of `/a`, where another API is served"),
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
