//! The apk-conf as it is written.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use super::{
    policies::Policies,
    refused::{MESSAGE, Off, One, Refused},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "some fields are there to be refused")]
pub(super) struct Document {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) base_path: String,
    pub(super) version: String,
    #[serde(rename = "type", default = "rest")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) default_version: bool,
    pub(super) environment: Option<String>,
    pub(super) endpoint_configurations: EndpointConfigurations,
    pub(super) operations: Vec<Operation>,
    #[serde(default)]
    pub(super) api_policies: Policies,
    pub(super) authentication: Option<Vec<Authentication>>,
    #[serde(default)]
    additional_properties: Refused,
    #[serde(default)]
    cors_configuration: Off,
    #[serde(default)]
    definition_path: Refused,
    #[serde(default)]
    rate_limit: Refused,
    #[serde(default)]
    pub(super) subscription_validation: bool,
}

fn rest() -> String {
    "REST".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "some fields are there to be refused")]
pub(super) struct EndpointConfigurations {
    pub(super) production: One<EndpointConfiguration>,
    #[serde(default)]
    sandbox: Refused,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "some fields are there to be refused")]
pub(super) struct EndpointConfiguration {
    #[serde(deserialize_with = "url")]
    pub(super) endpoint: String,
    #[serde(default)]
    certificate: Refused,
    #[serde(default)]
    endpoint_security: Off,
    #[serde(default)]
    resiliency: Refused,
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(url) => Ok(url),
        Value::Object(_) => Err(D::Error::custom(format!("a Kubernetes service: {MESSAGE}"))),
        _ => Err(D::Error::custom("expected a URL")),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "some fields are there to be refused")]
pub(super) struct Operation {
    pub(super) target: String,
    pub(super) verb: String,
    #[serde(default = "yes")]
    pub(super) secured: bool,
    #[serde(default)]
    pub(super) scopes: Vec<String>,
    #[serde(default)]
    pub(super) operation_policies: Policies,
    #[serde(default)]
    endpoint_configurations: Refused,
    #[serde(default)]
    rate_limit: Refused,
}

/// The fields of every kind of authentication; which of them a kind may have is checked later.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "some fields are there to be refused")]
pub(super) struct Authentication {
    pub(super) auth_type: String,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    pub(super) required: Option<Required>,
    #[serde(default)]
    pub(super) send_token_to_upstream: bool,
    pub(super) header_name: Option<String>,
    #[serde(default = "yes")]
    pub(super) header_enable: bool,
    #[serde(default)]
    pub(super) audience: Vec<String>,
    #[serde(default)]
    certificates: Refused,
    #[serde(default)]
    query_param_enable: Off,
    #[serde(default)]
    query_param_name: Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Required {
    Mandatory,
    Optional,
}

fn yes() -> bool {
    true
}
