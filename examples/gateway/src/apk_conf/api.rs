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
    /// What is done to the headers of all operations, before what is done to those of each.
    pub(crate) headers: Headers,
    pub(crate) operations: Vec<Operation>,
}

/// A BackendJwt policy, and where in the conf it is.
#[derive(Debug)]
pub(crate) struct Minting {
    pub(crate) field: String,
    pub(crate) policy: Policy,
    /// The `iss` of its backend JWTs.
    pub(crate) issuer: String,
}

/// One target with one verb.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) target: Target,
    pub(crate) verb: Method,
    pub(crate) access: Access,
    /// The place among the API's policies.
    pub(crate) policy: Option<usize>,
    /// What is done besides that which is done to those of all operations.
    pub(crate) headers: Headers,
}

/// What is done to headers.
#[derive(Debug, Default)]
pub(crate) struct Headers {
    pub(crate) request: Vec<Placed>,
    pub(crate) response: Vec<Placed>,
}

impl Headers {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Placed> {
        self.request.iter().chain(&self.response)
    }
}

/// A header policy, and where in the conf it is.
#[derive(Debug)]
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
            let message = error.into_inner().to_string();
            Fault::new(yaml::known(&field), yaml::without_value(&message))
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

    /// What is done to headers, by whichever of its operations.
    pub(crate) fn header_policies(&self) -> impl Iterator<Item = &Placed> {
        let own = self.operations.iter().map(|operation| &operation.headers);
        [&self.headers]
            .into_iter()
            .chain(own)
            .flat_map(Headers::all)
    }

    /// For each header that a backend JWT is put into, the first policy that does.
    pub(crate) fn assertions(&self) -> Vec<&Minting> {
        let mut first: Vec<&Minting> = Vec::new();
        for minting in &self.policies {
            let name = minting.policy.header_name();
            if !first.iter().any(|had| had.policy.header_name() == name) {
                first.push(minting);
            }
        }
        first
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
        if document.operations.len() > MOST_OPERATIONS {
            return Err(Fault::new(
                "operations",
                format!("are more than {MOST_OPERATIONS}"),
            ));
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
        let api = Self {
            id: document.id,
            name: document.name,
            context,
            default_path: document.default_version.then_some(default_path),
            version: document.version,
            endpoint,
            authentication,
            subscription_validation: document.subscription_validation,
            policies,
            headers: for_all.headers,
            operations,
        };
        match api.assertions().get(MOST_ASSERTIONS) {
            None => Ok(api),
            Some(minting) => Err(Fault::new(
                &minting.field,
                format!(
                    "parameters.header: the policies of the API name more than {MOST_ASSERTIONS} headers"
                ),
            )),
        }
    }
}

const MOST_OPERATIONS: usize = 1000;
/// The most policies of the API, and of each operation.
const MOST_POLICIES: usize = 50;
/// The most headers for backend JWTs. Each is looked for in every request, whichever API it is for.
const MOST_ASSERTIONS: usize = 16;

const NO_TOKEN: &str = "a backend JWT is made from an access token, and none is asked for here; with minimalAssertion it is made without";
const NO_APPLICATION: &str =
    "who comes without an access token has no application, and none is needed here";

fn check_head(document: &Document, environment: Option<&str>) -> Result<(), Fault> {
    // They are shown to people, in the log and where the gateway starts.
    let id = document.id.as_ref();
    for (field, text) in [
        ("name", Some(&document.name)),
        ("version", Some(&document.version)),
        ("id", id),
    ] {
        if text.is_some_and(|text| text.contains(char::is_control)) {
            return Err(Fault::new(field, "has a control character"));
        }
    }
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
    if policies.request.len() + policies.response.len() > MOST_POLICIES {
        return Err(Fault::new(
            field,
            format!("has more than {MOST_POLICIES} policies"),
        ));
    }
    let mut level = Level {
        minting: None,
        headers: Headers::default(),
    };
    for (index, policy) in policies.request.into_iter().enumerate() {
        let field = format!("{field}.request[{index}]");
        match policy {
            RequestPolicy::BackendJwt(..) if level.minting.is_some() => {
                return Err(Fault::new(field, "a second BackendJwt"));
            }
            RequestPolicy::BackendJwt(policy, issuer) => {
                level.minting = Some(all.len());
                all.push(Minting {
                    field,
                    policy,
                    issuer,
                });
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
    Ok(Operation {
        target,
        verb,
        access,
        policy,
        headers: own.headers,
    })
}
