//! `apiPolicies` and `operationPolicies`.

use http::HeaderName;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;
use tower_backend_jwt::{BackendJwtEntry, Policy};

use super::refused::{MESSAGE, Refused};

/// The header of a policy that names none, and the one that backends of WSO2 gateways trust.
pub(crate) const ASSERTION: HeaderName = HeaderName::from_static("x-jwt-assertion");

/// What is done to requests, and to responses.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "`response` is there to be refused")]
pub(super) struct Policies {
    #[serde(default)]
    pub(super) request: Vec<RequestPolicy>,
    #[serde(default)]
    response: Refused,
}

/// A policy that the gateway has.
#[derive(Debug)]
pub(super) enum RequestPolicy {
    BackendJwt(Policy),
}

impl<'de> Deserialize<'de> for RequestPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = Value::deserialize(deserializer)?;
        match entry.get("policyName").and_then(Value::as_str) {
            Some(BackendJwtEntry::POLICY_NAME) => backend_jwt(entry).map_err(D::Error::custom),
            Some(
                name @ ("AddHeader" | "Interceptor" | "RemoveHeader" | "RequestMirror"
                | "RequestRedirect" | "SetHeader"),
            ) => Err(D::Error::custom(format!("{name}: {MESSAGE}"))),
            Some(name) => Err(D::Error::custom(format!("unknown policy `{name}`"))),
            None => Err(D::Error::custom("missing field `policyName`")),
        }
    }
}

fn backend_jwt(entry: Value) -> Result<RequestPolicy, serde_json::Error> {
    BackendJwtEntry::deserialize(entry).map(|entry| RequestPolicy::BackendJwt(entry.into()))
}
