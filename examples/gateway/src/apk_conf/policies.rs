//! `apiPolicies` and `operationPolicies`.

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;
use tower_backend_jwt::{BackendJwtEntry, Policy};

use super::refused::MESSAGE;
use crate::{
    forwarded,
    header_policies::{Direction, HeaderPolicy},
};

/// The header of a policy that names none, and the one that backends of WSO2 gateways trust.
pub(crate) const ASSERTION: HeaderName = HeaderName::from_static("x-jwt-assertion");

/// The `iss` of a policy that names none.
const ISSUER: &str = "wso2.org/products/am";

/// What is done to requests, and to responses.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policies {
    #[serde(default)]
    pub(super) request: Vec<RequestPolicy>,
    #[serde(default)]
    pub(super) response: Vec<ResponsePolicy>,
}

/// A policy that the gateway has for requests.
#[derive(Debug)]
pub(super) enum RequestPolicy {
    /// With the `iss` of its backend JWTs.
    BackendJwt(Policy, String),
    Header(HeaderPolicy),
}

/// A policy that the gateway has for responses.
#[derive(Debug)]
pub(super) struct ResponsePolicy(pub(super) HeaderPolicy);

impl<'de> Deserialize<'de> for RequestPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = Value::deserialize(deserializer)?;
        match name(&entry).map_err(D::Error::custom)? {
            BackendJwtEntry::POLICY_NAME => backend_jwt(entry).map_err(D::Error::custom),
            _ => header_policy(entry, Direction::Request)
                .map(Self::Header)
                .map_err(D::Error::custom),
        }
    }
}

impl<'de> Deserialize<'de> for ResponsePolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = Value::deserialize(deserializer)?;
        header_policy(entry, Direction::Response)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

fn backend_jwt(entry: Value) -> Result<RequestPolicy, String> {
    let issuer = entry.pointer("/parameters/issuer").and_then(Value::as_str);
    let issuer = issuer.unwrap_or(ISSUER).to_owned();
    let policy: Policy = BackendJwtEntry::deserialize(entry)
        .map_err(|error| error.to_string())?
        .into();
    // It is taken off the requests of all APIs: none would be told what the gateway says in it.
    let header = policy.header_name();
    if forwarded::is_claim(header) {
        return Err(format!(
            "parameters.header: `{header}` has another meaning to services behind a gateway"
        ));
    }
    Ok(RequestPolicy::BackendJwt(policy, issuer))
}

fn name(entry: &Value) -> Result<&str, &'static str> {
    entry
        .get("policyName")
        .and_then(Value::as_str)
        .ok_or("missing field `policyName`")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "version and id are known fields that say nothing")]
struct HeaderEntry {
    policy_name: String,
    policy_version: Option<String>,
    policy_id: Option<String>,
    parameters: HeaderParameters,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HeaderParameters {
    header_name: String,
    header_value: Option<String>,
}

fn header_policy(entry: Value, direction: Direction) -> Result<HeaderPolicy, String> {
    match name(&entry)? {
        "AddHeader" | "RemoveHeader" | "SetHeader" => {}
        known @ ("BackendJwt" | "Interceptor" | "RequestMirror" | "RequestRedirect") => {
            return Err(format!("{known}: {MESSAGE}"));
        }
        other => return Err(format!("unknown policy `{other}`")),
    }
    let HeaderEntry {
        policy_name,
        parameters,
        ..
    } = serde_path_to_error::deserialize(entry).map_err(|error| error.to_string())?;
    let name = HeaderName::try_from(parameters.header_name.as_str()).map_err(|_| {
        format!(
            "parameters.headerName: `{}` is no header",
            parameters.header_name.escape_debug()
        )
    })?;
    let policy = match (policy_name.as_str(), parameters.header_value) {
        ("RemoveHeader", None) => HeaderPolicy::Remove(name),
        ("RemoveHeader", Some(_)) => {
            return Err(
                "parameters.headerValue: a header is removed whatever its value".to_owned(),
            );
        }
        (_, None) => return Err("parameters: missing field `headerValue`".to_owned()),
        (policy, Some(value)) => {
            let value = header_value(&value)
                .map_err(|reason| format!("parameters.headerValue: {reason}"))?;
            if policy == "AddHeader" {
                HeaderPolicy::Add(name, value)
            } else {
                HeaderPolicy::Set(name, value)
            }
        }
    };
    policy
        .check(direction)
        .map_err(|reason| format!("parameters.headerName: `{}` {reason}", policy.name()))?;
    Ok(policy)
}

/// The value is not shown: it may be a key for the service behind.
fn header_value(text: &str) -> Result<HeaderValue, &'static str> {
    if text.is_empty() {
        return Err("is empty");
    }
    // Receivers leave it out (RFC 9110 section 5.5).
    if text.trim() != text {
        return Err("begins or ends with white space");
    }
    let value = HeaderValue::from_str(text).ok();
    // Beyond ASCII it is not told in which encoding a receiver reads it.
    let Some(mut value) = value.filter(|value| value.to_str().is_ok()) else {
        return Err("has a character that is not visible ASCII, a line break perhaps");
    };
    value.set_sensitive(true);
    Ok(value)
}
