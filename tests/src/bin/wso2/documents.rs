//! What the gateway and the provider have to know, made from the samples.

use crate::{DIALECT, Failure, checks::text};
use serde_json::{Map, Value, json};
use std::{
    path::Path,
    process::{Command, Stdio},
};

/// An apk-conf for the API that a sample's claims speak of.
pub(crate) fn conf_of(sample: &Map<String, Value>, behind: &str) -> Result<String, Failure> {
    let claim = |name: &str| text(sample, &format!("{DIALECT}{name}"));
    let version = claim("version")?;
    let base_path = claim("apicontext")?
        .strip_suffix(&format!("/{version}"))
        .ok_or("a context without the version")?;
    let conf = json!({
        "name": claim("apiname")?,
        "basePath": base_path,
        "version": version,
        "type": "REST",
        "endpointConfigurations": {"production": {"endpoint": behind}},
        "operations": [{"target": "/test", "verb": "GET", "secured": true, "scopes": []}],
        "apiPolicies": {"request": [{
            "policyName": "BackendJwt",
            "parameters": {"signingAlgorithm": "SHA256withRSA", "tokenTTL": 3600},
        }]},
    });
    // JSON is YAML.
    Ok(conf.to_string())
}

/// The application that the sample's claims speak of.
pub(crate) fn applications(sample: &Map<String, Value>, issuer: &str) -> Result<Value, Failure> {
    let claim = |name: &str| text(sample, &format!("{DIALECT}{name}"));
    Ok(json!({"applications": [{
        "name": claim("applicationname")?,
        "uuid": claim("applicationUUId")?,
        "id": claim("applicationid")?,
        "owner": claim("subscriber")?,
        "tier": claim("applicationtier")?,
        "clients": [{"issuer": issuer, "clientId": text(sample, "client_id")?}],
        "subscriptions": [{
            "api": claim("apiname")?,
            "version": claim("version")?,
            "tier": claim("tier")?,
        }],
    }]}))
}

pub(crate) fn settings(issuer: &str) -> Value {
    json!({
        "listen": "127.0.0.1:0",
        "admin": {"listen": "127.0.0.1:0", "audience": "deployer", "apis_dir": "apis"},
        "applications": "applications.yaml",
        "issuers": [{"issuer": issuer, "audiences": ["api"]}],
        "signing": {
            "kid": "certificate",
            "keys": [{"privateKey": "signing.key", "certificate": "signing.crt"}],
        },
    })
}

/// What the provider has to know for the sample's token, and for the deployer's.
pub(crate) fn setup(sample: &Map<String, Value>) -> Result<Value, Failure> {
    let claims: Map<String, Value> = ["azp", "org_id", "org_name", "email"]
        .into_iter()
        .map(|name| (name.to_owned(), sample[name].clone()))
        .collect();
    Ok(json!({
        "account": text(sample, "sub")?,
        "lifetime": 7200,
        "claims": claims,
        "clients": [
            {
                "client_id": text(sample, "client_id")?,
                "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code"],
                "response_types": ["code"],
                "redirect_uris": ["http://127.0.0.1/callback"],
            },
            {
                "client_id": "deployer",
                "client_secret": "deployer-secret",
                "token_endpoint_auth_method": "client_secret_basic",
                "grant_types": ["client_credentials"],
                "response_types": [],
                "redirect_uris": [],
            },
        ],
        "resources": {
            "urn:api": {"audience": "api", "scope": text(sample, "scope")?},
            "urn:deployer": {"audience": "deployer", "scope": "apk:api_create"},
        },
    }))
}

/// The gateway's key, with the certificate that Choreo names keys by.
pub(crate) fn certificate(folder: &Path) -> Result<(), Failure> {
    let status = Command::new("openssl")
        .current_dir(folder)
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=gateway",
        ])
        .args(["-keyout", "signing.key", "-out", "signing.crt"])
        .stderr(Stdio::null())
        .status()?;
    status
        .success()
        .then_some(())
        .ok_or_else(|| "openssl made no certificate".into())
}
