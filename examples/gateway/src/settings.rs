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
    #[serde(default)]
    pub(crate) cache: CacheSettings,
}

/// What is remembered of requests.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CacheSettings {
    #[serde(default)]
    pub(crate) tokens: Room,
    #[serde(default)]
    pub(crate) backend_jwts: Room,
}

/// What a cache may hold; with no entries there is none.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Room {
    pub(crate) entries: usize,
    pub(crate) bytes: u64,
}

impl Room {
    /// A slip of the finger rather than a wish.
    pub(crate) const MOST_ENTRIES: usize = 1 << 24;
    /// A token that takes less is none.
    pub(crate) const LEAST_BYTES: u64 = 64;
}

/// As the crates have it.
impl Default for Room {
    fn default() -> Self {
        Self {
            entries: 10_000,
            bytes: 64 * 1024 * 1024,
        }
    }
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
