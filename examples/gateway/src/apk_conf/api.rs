//! What the gateway makes of an apk-conf.

use std::path::Path;

use http::Method;
use serde_json::Value;
use tower_backend_jwt::Policy;

use super::{
    authentication::Authentication,
    document::{self, Document},
    policies::{Policies, RequestPolicy, ResponsePolicy},
    refused::MESSAGE,
};
use crate::{
    endpoint::Endpoint,
    error::{Fault, LoadError},
    header_policies::HeaderPolicy,
    path,
    target::Target,
    yaml,
};

/// An API that can be served as its conf says.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) version: String,
    /// Base path and version: `/orders/1.0.0`.
    pub(crate) context: String,
    /// Also served at this path, without the version.
    pub(crate) default_path: Option<String>,
    pub(crate) endpoint: Endpoint,
    pub(crate) authentication: Authentication,
    /// Only callers whose application is subscribed are let in.
    pub(crate) subscription_validation: bool,
    /// What the operations refer to.
    pub(crate) policies: Vec<Minting>,
    pub(crate) operations: Vec<Operation>,
}

/// A BackendJwt policy, and where in the conf it is.
#[derive(Debug)]
pub(crate) struct Minting {
    pub(crate) field: String,
    pub(crate) policy: Policy,
}

/// One target with one verb.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) target: Target,
    pub(crate) verb: Method,
    pub(crate) access: Access,
    /// The place among the API's policies.
    pub(crate) policy: Option<usize>,
    pub(crate) headers: Headers,
}

/// What is done to the headers of an operation: the API's policies first, then its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers {
    pub(crate) request: Vec<Placed>,
    pub(crate) response: Vec<Placed>,
}

/// A header policy, and where in the conf it is.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) field: String,
    pub(crate) policy: HeaderPolicy,
}

/// Who may call an operation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everyone, without a token.
    Open,
    /// Callers with a token that has one of the scopes, or with any token if there are none.
    Token { scopes: Vec<String> },
}

impl Api {
    /// Reads the text of an apk-conf; `file` is for the errors alone, `environment` is the gateway's own.
    pub(crate) fn from_yaml(
        text: &str,
        file: &Path,
        environment: Option<&str>,
    ) -> Result<Self, LoadError> {
        Self::new(yaml::parse(text, file)?, environment).map_err(|fault| fault.in_file(file))
    }

    /// Reads an apk-conf that has been taken apart already.
    pub(crate) fn from_value(value: Value, environment: Option<&str>) -> Result<Self, Fault> {
        let document = serde_path_to_error::deserialize(value).map_err(|error| {
            let field = error.path().to_string();
            Fault::new(yaml::known(&field), error.into_inner())
        })?;
        Self::new(document, environment)
    }

    #[cfg(test)]
    pub(super) fn parse(text: &str, environment: Option<&str>) -> Result<Self, LoadError> {
        Self::from_yaml(text, Path::new("api.yaml"), environment)
    }

    /// The context without the version.
    pub(crate) fn base_path(&self) -> &str {
        let base_path = self.context.strip_suffix(&self.version);
        base_path.map_or(&self.context, |path| path.trim_end_matches('/'))
    }

    /// The paths it is served at.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        [&self.context]
            .into_iter()
            .chain(&self.default_path)
            .map(String::as_str)
    }

    fn new(document: Document, environment: Option<&str>) -> Result<Self, Fault> {
        check_head(&document, environment)?;
        let base_path = document.base_path.trim_end_matches('/');
        let version = &document.version;
        // A base path may have the version in it already.
        let default_path = base_path
            .strip_suffix(&format!("/{version}"))
            .unwrap_or(base_path)
            .to_owned();
        let context = format!("{default_path}/{version}");

        let endpoint = &document.endpoint_configurations.production.0.endpoint;
        let endpoint = Endpoint::parse(endpoint)
            .map_err(|error| Fault::new("endpointConfigurations.production.endpoint", error))?;
        let authentication = Authentication::new(document.authentication.as_deref())?;

        let mut policies = Vec::new();
        let for_all = level(document.api_policies, "apiPolicies", &mut policies)?;
        let open = authentication.credentials.is_empty();
        if open && for_all.needs_a_token(&policies) {
            return Err(Fault::new("apiPolicies.request", NO_TOKEN));
        }
        if document.subscription_validation && authentication.takes_nobody() {
            return Err(Fault::new("subscriptionValidation", NO_APPLICATION));
        }
        if document.operations.is_empty() {
            return Err(Fault::new("operations", "an API needs at least one"));
        }
        let operations = document
            .operations
            .into_iter()
            .enumerate()
            .map(|(index, entry)| {
                let open = open || !entry.secured;
                operation(
                    entry,
                    open,
                    &for_all,
                    &mut policies,
                    &format!("operations[{index}]"),
                )
            })
            .collect::<Result<_, Fault>>()?;
        Ok(Self {
            id: document.id,
            name: document.name,
            context,
            default_path: document.default_version.then_some(default_path),
            version: document.version,
            endpoint,
            authentication,
            subscription_validation: document.subscription_validation,
            policies,
            operations,
        })
    }
}

const NO_TOKEN: &str = "a backend JWT is made from an access token, and none is asked for here; with minimalAssertion it is made without";
const NO_APPLICATION: &str =
    "who comes without an access token has no application, and none is needed here";

fn check_head(document: &Document, environment: Option<&str>) -> Result<(), Fault> {
    for (field, text, longest) in [
        ("name", &document.name, 60),
        ("basePath", &document.base_path, 256),
        ("version", &document.version, 30),
    ] {
        if !(1..=longest).contains(&text.chars().count()) {
            return Err(Fault::new(
                field,
                format!("has to have 1 to {longest} characters"),
            ));
        }
    }
    if document.kind != "REST" {
        return Err(Fault::new(
            "type",
            format!("`{}`: {MESSAGE}; only `REST` is", document.kind),
        ));
    }
    if let Some(wanted) = &document.environment
        && Some(wanted.as_str()) != environment
    {
        let have = environment.map_or("no environment".to_owned(), |name| format!("`{name}`"));
        return Err(Fault::new(
            "environment",
            format!("the API is for `{wanted}`, the gateway is set to {have}"),
        ));
    }
    path::check(&document.base_path).map_err(|why| Fault::new("basePath", why.text()))?;
    if document
        .version
        .contains(|c: char| c.is_whitespace() || "~!@#;:%^*()+={}|\\<>\"',&/$[]".contains(c))
    {
        return Err(Fault::new(
            "version",
            "has a character that a version cannot have",
        ));
    }
    path::check(&format!("/{}", document.version)).map_err(|why| Fault::new("version", why.text()))
}

/// The policies of the API, or of one operation.
struct Level {
    /// The place of its BackendJwt among the API's policies.
    minting: Option<usize>,
    headers: Headers,
}

impl Level {
    /// Whether its BackendJwt has nothing to say of callers without a token.
    fn needs_a_token(&self, all: &[Minting]) -> bool {
        let minting = self.minting.and_then(|place| all.get(place));
        minting.is_some_and(|minting| !minting.policy.has_minimal_assertion())
    }
}

/// Reads the policies of a level; its BackendJwt is put with the others.
fn level(policies: Policies, field: &str, all: &mut Vec<Minting>) -> Result<Level, Fault> {
    let mut level = Level {
        minting: None,
        headers: Headers::default(),
    };
    for (index, policy) in policies.request.into_iter().enumerate() {
        let field = format!("{field}.request[{index}]");
        match policy {
            RequestPolicy::BackendJwt(_) if level.minting.is_some() => {
                return Err(Fault::new(field, "a second BackendJwt"));
            }
            RequestPolicy::BackendJwt(policy) => {
                level.minting = Some(all.len());
                all.push(Minting { field, policy });
            }
            RequestPolicy::Header(policy) => level.headers.request.push(Placed { field, policy }),
        }
    }
    for (index, ResponsePolicy(policy)) in policies.response.into_iter().enumerate() {
        let field = format!("{field}.response[{index}]");
        level.headers.response.push(Placed { field, policy });
    }
    Ok(level)
}

fn operation(
    entry: document::Operation,
    open: bool,
    for_all: &Level,
    policies: &mut Vec<Minting>,
    at: &str,
) -> Result<Operation, Fault> {
    let target =
        Target::parse(&entry.target).map_err(|error| Fault::new(format!("{at}.target"), error))?;
    let verb = match entry.verb.as_str() {
        "GET" | "POST" | "PUT" | "DELETE" | "PATCH" | "HEAD" | "OPTIONS" => entry.verb.parse().ok(),
        _ => None,
    };
    let Some(verb) = verb else {
        return Err(Fault::new(
            format!("{at}.verb"),
            format!("`{}`: {MESSAGE}", entry.verb),
        ));
    };
    let own = level(
        entry.operation_policies,
        &format!("{at}.operationPolicies"),
        policies,
    )?;
    if open && own.needs_a_token(policies) {
        return Err(Fault::new(
            format!("{at}.operationPolicies.request"),
            NO_TOKEN,
        ));
    }
    if open && !entry.scopes.is_empty() {
        return Err(Fault::new(
            format!("{at}.scopes"),
            "a scope is of an access token, and none is asked for here",
        ));
    }
    let access = if open {
        Access::Open
    } else {
        Access::Token {
            scopes: entry.scopes,
        }
    };
    let policy = own
        .minting
        .or(for_all.minting)
        .filter(|place| !open || policies[*place].policy.has_minimal_assertion());
    let mut headers = for_all.headers.clone();
    headers.request.extend(own.headers.request);
    headers.response.extend(own.headers.response);
    Ok(Operation {
        target,
        verb,
        access,
        policy,
        headers,
    })
}
