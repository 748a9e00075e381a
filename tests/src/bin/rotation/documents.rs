//! What the gateways read, and the times that the whole of it is about.

use crate::{Failure, callers::Callers};
use serde_json::{Value, json};
use std::{fs, net::SocketAddr, path::Path};

/// The directory that the gateways share.
const RING: &str = "keys";
pub(crate) const ALGORITHM: &str = "ES256";
/// Whose the backend JWTs are.
pub(crate) const ISSUER: &str = "https://gateway.example.com";

/// Seconds for which a verifier that obeys keeps the key set.
pub(crate) const MAX_AGE: u64 = 1;
/// Seconds more for one that does not.
pub(crate) const GRACE: u64 = 1;
const TOKEN_LIFE: u64 = 3;
/// Of a key, in seconds: what the others leave is its time in reserve.
pub(crate) const ROTATE_EVERY: u64 = 8;

/// Where the service is that the caller's requests go to.
pub(crate) const PATH: &str = "/orders/1.0.0/mine";
/// Where the gateways publish their keys.
pub(crate) const KEYS: &str = "/.wellknown/jwks";

/// Writes them; the gateways' settings are `gateway.yaml`.
pub(crate) fn write(folder: &Path, callers: &Callers, behind: SocketAddr) -> Result<(), Failure> {
    fs::create_dir_all(folder.join(RING))?;
    fs::write(folder.join("issuer.json"), callers.jwks()?)?;
    // JSON is YAML.
    fs::write(folder.join("orders.apk-conf"), api(behind).to_string())?;
    fs::write(folder.join("gateway.yaml"), settings(callers).to_string())?;
    Ok(())
}

fn settings(callers: &Callers) -> Value {
    let seconds = |number: u64| format!("{number}s");
    json!({
        "listen": "127.0.0.1:0",
        "apis": ["orders.apk-conf"],
        "issuers": [{
            "issuer": callers.issuer(),
            "audiences": [callers.audience()],
            "jwks": {"file": "issuer.json"},
        }],
        "signing": {"ring": {
            "directory": RING,
            "algorithm": ALGORITHM,
            "rotateEvery": seconds(ROTATE_EVERY),
            "maxAge": seconds(MAX_AGE),
            "propagation": "3s",
            "poll": "1s",
            "grace": seconds(GRACE),
            "clockSkew": "1s",
            "tokenLife": seconds(TOKEN_LIFE),
        }},
    })
}

fn api(behind: SocketAddr) -> Value {
    json!({
        "name": "Orders",
        "basePath": "/orders",
        "version": "1.0.0",
        "type": "REST",
        "endpointConfigurations": {"production": {"endpoint": format!("http://{behind}")}},
        "operations": [{"target": "/mine", "verb": "GET", "secured": true, "scopes": []}],
        "apiPolicies": {"request": [{
            "policyName": "BackendJwt",
            "parameters": {
                "signingAlgorithm": "SHA256withECDSA",
                "issuer": ISSUER,
                "tokenTTL": TOKEN_LIFE,
            },
        }]},
    })
}
