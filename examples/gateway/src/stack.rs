//! The layers in front of each operation, from the outside in:
//!
//! 1. `StripHeaderLayer`: other headers than the one whose token is checked carry none
//! 2. `AccessTokenLayer`: only who has a token with the right scope comes further
//! 3. `StripHeaderLayer`: what the client sent in the place of a backend JWT is taken off
//! 4. [`forwarded::set`]: and what it says of itself in the place of the gateway
//! 5. [`HeaderPolicies`]: what the author of the API wants done to the headers
//! 6. `BackendJwtLayer`: says who is calling
//! 7. [`Proxy`]: the service behind, whose answers have header policies of their own

use std::{convert::Infallible, path::Path};

use bytes::Bytes;
use http::{HeaderName, Request, Response, header};
use http_body::Body as HttpBody;
use tower::{BoxError, Layer, Service, ServiceExt, util::BoxCloneSyncService};
use tower_backend_jwt::{
    AccessTokenLayer, BackendJwtLayer, RefusalFormat, Scheme, StripHeaderLayer, Verifier,
};
use tower_jwks::{ConfigError, KeyRing};

use crate::{
    apk_conf::{ASSERTION, Access, Api, Credential, Headers, Kind, Minting, Placed},
    body::{self, Body, Forbidden},
    credentials::ByCredential,
    error::{Fault, LoadError},
    fold::alike,
    forwarded,
    header_policies::HeaderPolicies,
    issuers::Issuers,
    proxy::Proxy,
    routes::Resources,
    upstream::Upstream,
};

/// An operation with all its layers.
pub(crate) type OperationService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// What all APIs share.
#[derive(Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) issuers: &'a Issuers,
    pub(crate) keys: &'a KeyRing,
    pub(crate) upstream: &'a Upstream,
    /// See [`assertion_headers`].
    pub(crate) assertions: &'a [HeaderName],
}

/// Puts the layers in front of each operation of the API in `file`.
pub(crate) fn resources(
    api: &Api,
    file: &Path,
    shared: &Shared<'_>,
) -> Result<Resources<OperationService>, LoadError> {
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
) -> Result<Resources<OperationService>, Fault> {
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
    let proxy = Proxy::new(shared.upstream.clone(), api.endpoint.clone(), forbidden);
    // One layer for all operations with the same policy, so that they share what it has minted.
    let mints = api
        .policies
        .iter()
        .map(|minting| mint(api, minting, shared.keys))
        .collect::<Result<Vec<_>, _>>()?;

    let mut resources = Resources::new();
    for (index, operation) in api.operations.iter().enumerate() {
        let field = format!("operations[{index}]");
        check_headers(api, &operation.headers, shared.assertions)?;
        let proxy = proxy
            .clone()
            .with_response_policies(policies(&operation.headers.response));
        let service = match operation.policy {
            None => boxed(proxy),
            Some(place) => boxed(mints[place].layer(proxy)),
        };
        let request_policies = policies(&operation.headers.request);
        let service = service.map_request(move |request| {
            let mut request = forwarded::set(request);
            request_policies.apply(request.headers_mut());
            request
        });
        let service = BoxCloneSyncService::new(service);
        let service = without(shared.assertions, service);
        let service = match &operation.access {
            Access::Open => without(&authentication.hidden, service),
            Access::Token { scopes } => {
                let choices = guards
                    .iter()
                    .map(|(credential, verifier)| {
                        let header = &credential.header;
                        let guard = guard(credential, verifier, scopes)?;
                        let guarded = boxed(guard.layer(service.clone()));
                        // The guard sees to the other spellings of its own header.
                        let others = authentication
                            .headers()
                            .filter(|other| !alike(other, header));
                        Ok((header.clone(), without(others, guarded)))
                    })
                    .collect::<Result<_, ConfigError>>()
                    .map_err(|error| Fault::new(format!("{field}.scopes"), error))?;
                ByCredential::service(choices)
                    .ok_or_else(|| Fault::new(&field, "no token can be asked for"))?
            }
        };
        resources
            .add(operation.target.clone(), operation.verb.clone(), service)
            .map_err(|_| Fault::new(field, "another operation has the same verb and target"))?;
    }
    Ok(resources)
}

fn policies(placed: &[Placed]) -> HeaderPolicies {
    placed.iter().map(|placed| placed.policy.clone()).collect()
}

/// A backend JWT that anybody but its minter can write is none; and what goes on as a credential has
/// been verified, or is the client's own.
fn check_headers(api: &Api, headers: &Headers, assertions: &[HeaderName]) -> Result<(), Fault> {
    for Placed { field, policy } in headers.request.iter().chain(&headers.response) {
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

/// The service without what a client sent in these headers.
fn without<'n>(
    headers: impl IntoIterator<Item = &'n HeaderName>,
    service: OperationService,
) -> OperationService {
    headers.into_iter().fold(service, |service, name| {
        boxed(StripHeaderLayer::new(name.clone()).layer(service))
    })
}

/// What the access token's layer makes of a request before the API's own layers see it.
fn guard(
    credential: &Credential,
    verifier: &Verifier,
    scopes: &[String],
) -> Result<AccessTokenLayer, ConfigError> {
    let mut guard = AccessTokenLayer::new(verifier.clone())
        .header(credential.header.clone())
        .scheme(match credential.kind {
            Kind::OAuth2 => Scheme::Bearer,
            Kind::Jwt => Scheme::BearerOrBare,
        })
        .refusal_format(RefusalFormat::Wso2);
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

fn mint(api: &Api, minting: &Minting, keys: &KeyRing) -> Result<BackendJwtLayer, Fault> {
    let about = tower_backend_jwt::Api::new(&api.name, &api.version).with_context(&api.context);
    BackendJwtLayer::new(keys.clone())
        .api(about)
        .refusal_format(RefusalFormat::Wso2)
        .policy(minting.policy.clone())
        .map_err(|error| Fault::new(&minting.field, error))
}

/// The headers that a service behind may take for an assertion, whichever operation of whichever API
/// sets them: several APIs may have the same service behind them.
pub(crate) fn assertion_headers<'a>(apis: impl IntoIterator<Item = &'a Api>) -> Vec<HeaderName> {
    // Taken off even where no policy sets it.
    let mut headers = vec![ASSERTION];
    for minting in apis.into_iter().flat_map(|api| &api.policies) {
        let name = minting.policy.header_name();
        if !headers.contains(name) {
            headers.push(name.clone());
        }
    }
    headers
}

fn boxed<S, B>(service: S) -> OperationService
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    BoxCloneSyncService::new(service.map_response(|response| response.map(body::boxed)))
}
