//! `gateway.yaml` as it is written.

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;
use tower_jwks::Algorithm;

use crate::ring::RingSettings;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) admin: Option<AdminSettings>,
    pub(crate) environment: Option<String>,
    /// May be left out where APIs can be deployed.
    pub(crate) apis: Option<Vec<PathBuf>>,
    pub(crate) applications: Option<PathBuf>,
    #[serde(default)]
    pub(crate) issuers: Vec<IssuerSettings>,
    #[serde(default)]
    pub(crate) fetch: FetchSettings,
    #[serde(default)]
    pub(crate) signing: SigningSettings,
}

/// Where the gateway tells how it is, and where APIs are deployed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminSettings {
    pub(crate) listen: SocketAddr,
    pub(crate) audience: Option<String>,
    #[serde(alias = "apisDir")]
    pub(crate) apis_dir: Option<PathBuf>,
    pub(crate) issuers: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
}

/// An identity provider whose access tokens are accepted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IssuerSettings {
    pub(crate) issuer: String,
    #[serde(default)]
    pub(crate) audiences: Vec<String>,
    #[serde(default)]
    pub(crate) any_audience: bool,
    pub(crate) jwks: Option<JwksSettings>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) keys_copy: Option<PathBuf>,
    #[serde(default)]
    pub(crate) algorithms: Vec<Algorithm>,
    #[serde(default)]
    pub(crate) claim_mappings: Vec<ClaimMapping>,
    pub(crate) consumer_key_claim: Option<String>,
    pub(crate) scopes_claim: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JwksSettings {
    pub(crate) file: Option<PathBuf>,
    pub(crate) url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ClaimMapping {
    pub(crate) remote_claim: String,
    pub(crate) local_claim: String,
}

/// How issuers' keys are fetched, for all issuers.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FetchSettings {
    #[serde(default)]
    pub(crate) public_addresses_only: bool,
    pub(crate) root_certificates: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SigningSettings {
    #[serde(default)]
    pub(crate) keys: Vec<KeySettings>,
    pub(crate) ring: Option<RingSettings>,
    #[serde(default)]
    pub(crate) kid: Kid,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KeySettings {
    pub(crate) private_key: PathBuf,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) active: Option<bool>,
}

/// What the gateway's keys are called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Kid {
    /// RFC 7638.
    #[default]
    Thumbprint,
    /// As WSO2 Choreo Connect and Choreo do.
    Certificate,
    /// As WSO2 API Manager 4.1 and newer do.
    IssuerSerial,
}
