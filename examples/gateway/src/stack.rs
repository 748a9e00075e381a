//! The layers in front of each operation, from the outside in:
//!
//! 1. `StripHeaderLayer`: other headers than the one whose token is checked carry none
//! 2. `AccessTokenLayer`: only who has a token with the right scope comes further
//! 3. `ApplicationLayer`: finds the application, where applications are known
//! 4. `StripHeaderLayer`: what the client sent in the place of a backend JWT is taken off
//! 5. [`forwarded::set`]: and what it says of itself in the place of the gateway
//! 6. [`HeaderPolicies`]: what the author of the API wants done to the headers
//! 7. `BackendJwtLayer`: says who is calling
//! 8. [`Proxy`]: the service behind, whose answers have header policies of their own

use std::path::Path;

use http::{HeaderName, Request, header};
use tower::{Layer, ServiceExt};
use tower_backend_jwt::{
    AccessTokenLayer, ApplicationLayer, AuthType, BackendJwtLayer, ChosenPolicy, Policy, PolicySet,
    RefusalFormat, Scheme, StripHeaderLayer, TokenCache, Verifier,
};
use tower_jwks::ConfigError;

use crate::{
    apk_conf::{ASSERTION, Access, Api, Credential, Kind, Minting, Placed},
    body::{Body, Forbidden},
    credentials::by_credential,
    error::{Fault, LoadError},
    fold::alike,
    forwarded,
    header_policies::{HeaderPolicies, HeaderPolicy},
    issuers::Issuers,
    operation::{Layered, Operation},
    proxy::Proxy,
    routes::Resources,
    upstream::Upstream,
};

/// What all APIs share.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) issuers: &'a Issuers,
    pub(crate) policies: &'a PolicySet,
    pub(crate) applications: Option<&'a ApplicationLayer>,
    pub(crate) tokens: Option<&'a TokenCache>,
    pub(crate) upstream: &'a Upstream,
    /// See [`assertion_headers`].
    pub(crate) assertions: &'a [HeaderName],
}

/// Puts the layers in front of each operation of the API in `file`.
pub(crate) fn resources(
    api: &Api,
    file: &Path,
    shared: &Shared<'_>,
) -> Result<Resources<Operation>, LoadError> {
    let credentials = &api.authentication.credentials;
    let guards = credentials
        .iter()
        .map(|credential| Ok((credential, shared.issuers.verifier(&credential.audiences)?)))
        .collect::<Result<Vec<_>, LoadError>>()?;
    operations(api, &guards, shared).map_err(|fault| fault.in_file(file))
}

fn operations(
    api: &Api,
    guards: &[(&Credential, Verifier)],
    shared: &Shared<'_>,
) -> Result<Resources<Operation>, Fault> {
    let authentication = &api.authentication;
    let is_assertion = |name: &&HeaderName| shared.assertions.iter().any(|own| alike(own, name));
    if let Some(name) = authentication.shown.iter().find(is_assertion) {
        return Err(Fault::new(
            "authentication",
            format!("`{name}` is for backend JWTs, so no access token can go on in it"),
        ));
    }
    let forbidden = Forbidden::new(
        shared
            .assertions
            .iter()
            .chain(authentication.headers())
            .chain([&header::AUTHORIZATION]),
    );
    let way = shared
        .upstream
        .to(&api.endpoint)
        .map_err(|error| Fault::new("endpointConfigurations.production.endpoint", error))?;
    let proxy = Proxy::new(way, api.endpoint.clone(), forbidden);
    let applications = applications(api, shared)?;
    check_issuers(api, shared.issuers)?;
    check_headers(api, shared.assertions)?;
    let request_policies: HeaderPolicies = header_policies(&api.headers.request).collect();
    let response_policies: HeaderPolicies = header_policies(&api.headers.response).collect();
    let front = Front::new(api, guards, applications.as_ref(), shared);
    let mut resources = Resources::new();
    for (index, operation) in api.operations.iter().enumerate() {
        let field = format!("operations[{index}]");
        let own = &operation.headers;
        let response_policies = response_policies.then(header_policies(&own.response).collect());
        let proxy = proxy.clone().with_response_policies(response_policies);
        let request_policies = request_policies.then(header_policies(&own.request).collect());
        let service = match operation.policy {
            None => front.operation(&operation.access, request_policies, proxy.service()),
            Some(place) => {
                let minting = mint(api, place, shared)?;
                front.operation(
                    &operation.access,
                    request_policies,
                    minting.layer(proxy.service()),
                )
            }
        };
        let service = service.map_err(|fault| fault.within(&field))?;
        resources
            .add(operation.target.clone(), operation.verb.clone(), service)
            .map_err(|_| Fault::new(field, "another operation has the same verb and target"))?;
    }
    Ok(resources)
}

/// The layers outside of the one that says who is calling; the same for all operations of an API.
struct Front<'a> {
    guards: Vec<Guard<'a>>,
    applications: Option<&'a ApplicationLayer>,
    strip_hidden: StripHeaderLayer,
    strip_assertions: StripHeaderLayer,
}

/// The check of one kind of credential.
struct Guard<'a> {
    credential: &'a Credential,
    verifier: &'a Verifier,
    tokens: Option<&'a TokenCache>,
    strip_others: StripHeaderLayer,
}

impl<'a> Front<'a> {
    fn new(
        api: &'a Api,
        guards: &'a [(&Credential, Verifier)],
        applications: Option<&'a ApplicationLayer>,
        shared: &Shared<'a>,
    ) -> Self {
        let authentication = &api.authentication;
        let guards = guards.iter().map(|(credential, verifier)| {
            // The guard sees to the other spellings of its own header.
            let others = authentication
                .headers()
                .filter(|other| !alike(other, &credential.header));
            Guard {
                credential,
                verifier,
                tokens: shared.tokens,
                strip_others: StripHeaderLayer::several(others.cloned()),
            }
        });
        Self {
            guards: guards.collect(),
            applications,
            strip_hidden: StripHeaderLayer::several(authentication.hidden.iter().cloned()),
            strip_assertions: StripHeaderLayer::several(shared.assertions.iter().cloned()),
        }
    }

    /// The layers around `service`, for this operation.
    fn operation(
        &self,
        access: &Access,
        policies: HeaderPolicies,
        service: impl Layered,
    ) -> Result<Operation, Fault> {
        let service = service.map_request(move |request| {
            let mut request = forwarded::set(request);
            policies.apply(request.headers_mut());
            request
        });
        let service = self.strip_assertions.layer(service);
        let scopes = match access {
            Access::Open => return Ok(Operation::new(self.strip_hidden.layer(open(service)))),
            Access::Token { scopes } => scopes,
        };
        let choices = self.guards.iter().map(|guard| {
            let access = guard.access(scopes)?;
            let others = &guard.strip_others;
            let guarded = match self.applications {
                Some(applications) => {
                    Operation::new(others.layer(access.layer(applications.layer(service.clone()))))
                }
                None => Operation::new(others.layer(access.layer(service.clone()))),
            };
            Ok((guard.credential.header.clone(), guarded))
        });
        let choices = choices
            .collect::<Result<_, ConfigError>>()
            .map_err(|error| Fault::new("scopes", error))?;
        by_credential(choices).ok_or_else(|| Fault::new("", "no token can be asked for"))
    }
}

impl Guard<'_> {
    /// What the access token's layer makes of a request before the API's own layers see it.
    fn access(&self, scopes: &[String]) -> Result<AccessTokenLayer, ConfigError> {
        let credential = self.credential;
        let mut guard = AccessTokenLayer::new(self.verifier.clone())
            .header(credential.header.clone())
            .scheme(match credential.kind {
                Kind::OAuth2 => Scheme::Bearer,
                Kind::Jwt => Scheme::BearerOrBare,
            })
            .refusal_format(RefusalFormat::Wso2);
        guard = match self.tokens {
            Some(tokens) => guard.token_cache(tokens.clone()),
            None => guard.no_cache(),
        };
        if credential.forwarded {
            guard = guard.forward_token();
        }
        if !scopes.is_empty() {
            return guard.require_any_scope(scopes);
        }
        // Only where no scope is asked for: a scope can only be a token's.
        if credential.optional {
            guard = guard.optional();
        }
        Ok(guard)
    }
}

/// For callers of whom nothing is asked.
fn open(service: impl Layered) -> impl Layered {
    service.map_request(|mut request: Request<Body>| {
        request.extensions_mut().insert(AuthType::NONE);
        request
    })
}

fn header_policies(placed: &[Placed]) -> impl Iterator<Item = HeaderPolicy> {
    placed.iter().map(|placed| placed.policy.clone())
}

/// A backend JWT in the name of a provider would pass for a token of the provider's; and the gateway,
/// which takes no token in its own name, would take none of the provider's any more.
fn check_issuers(api: &Api, issuers: &Issuers) -> Result<(), Fault> {
    let statuses: Vec<_> = issuers.statuses().collect();
    for Minting { field, issuer, .. } in &api.policies {
        if statuses.iter().any(|trusted| trusted.issuer() == issuer) {
            return Err(Fault::new(
                field,
                format!(
                    "parameters.issuer: `{issuer}` is an issuer of access tokens in the gateway's settings"
                ),
            ));
        }
    }
    Ok(())
}

/// A backend JWT that anybody but its minter can write is none; and what goes on as a credential has
/// been verified, or is the client's own.
fn check_headers(api: &Api, assertions: &[HeaderName]) -> Result<(), Fault> {
    for Placed { field, policy } in api.header_policies() {
        let name = policy.name();
        let refused = |what| {
            Err(Fault::new(
                field,
                format!("parameters.headerName: `{name}` {what}"),
            ))
        };
        if assertions.iter().any(|own| alike(own, name)) {
            return refused("is for backend JWTs");
        }
        if api.authentication.headers().any(|own| alike(own, name)) {
            return refused("is for access tokens");
        }
    }
    Ok(())
}

/// Finds the application, where applications are known.
fn applications(api: &Api, shared: &Shared<'_>) -> Result<Option<ApplicationLayer>, Fault> {
    match shared.applications {
        Some(layer) if api.subscription_validation => {
            Ok(Some(layer.clone().api(about(api)).require_subscription()))
        }
        Some(layer) => Ok(Some(layer.clone().api(about(api)))),
        None if api.subscription_validation => Err(Fault::new(
            "subscriptionValidation",
            "needs `applications` in the gateway's settings",
        )),
        None => Ok(None),
    }
}

/// Says who is calling, after the policy as it is in this table: what a later table says of it is nothing
/// to the requests of this one.
fn mint(
    api: &Api,
    place: usize,
    shared: &Shared<'_>,
) -> Result<BackendJwtLayer<ChosenPolicy>, Fault> {
    let policy = shared
        .policies
        .get(&policy_name(api, place))
        .ok_or_else(|| Fault::new(&api.policies[place].field, "is not in force"))?;
    let policies = shared.policies.clone();
    Ok(BackendJwtLayer::from_policies(policies, policy).refusal_format(RefusalFormat::Wso2))
}

/// The API's policies, by names that no other API's have.
pub(crate) fn policies(
    api: &Api,
) -> impl Iterator<Item = (String, Policy, tower_backend_jwt::Api)> {
    api.policies
        .iter()
        .enumerate()
        .map(|(place, minting)| (policy_name(api, place), minting.policy.clone(), about(api)))
}

/// The policy that an error of the set names, and what is wrong with it.
pub(crate) fn policy_in<'a, 'e>(api: &'a Api, error: &'e str) -> Option<(&'a Minting, &'e str)> {
    api.policies
        .iter()
        .enumerate()
        .find_map(|(place, minting)| {
            let rest = error.strip_prefix(&policy_name(api, place))?;
            Some((minting, rest.strip_prefix('.')?))
        })
}

fn policy_name(api: &Api, place: usize) -> String {
    format!("{}#{place}", api.context)
}

fn about(api: &Api) -> tower_backend_jwt::Api {
    tower_backend_jwt::Api::new(&api.name, &api.version).with_context(&api.context)
}

/// The headers that a service behind may take for an assertion, whichever operation of whichever API
/// sets them: several APIs may have the same service behind them.
pub(crate) fn assertion_headers<'a>(apis: impl IntoIterator<Item = &'a Api>) -> Vec<HeaderName> {
    // Taken off even where no policy sets it.
    let mut headers = vec![ASSERTION];
    for minting in apis.into_iter().flat_map(Api::assertions) {
        let name = minting.policy.header_name();
        if !headers.contains(name) {
            headers.push(name.clone());
        }
    }
    headers
}
