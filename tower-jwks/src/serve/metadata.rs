//! The document that leads from an issuer's URL to its keys.

use crate::{ConfigError, published::entity_tag};
use bytes::Bytes;
use http::{HeaderValue, Uri};
use serde::Serialize;

/// `issuer` and `jwks_uri`, as OpenID Connect Discovery 1.0 section 4 places them.
#[derive(Clone, Debug)]
pub(super) struct IssuerMetadata {
    path: String,
    json: Bytes,
    etag: HeaderValue,
}

impl IssuerMetadata {
    /// The issuer is configuration and never the request's `Host`, which the caller chooses.
    pub(super) fn new(issuer: &str, jwks_path: &str) -> Result<Self, ConfigError> {
        #[derive(Serialize)]
        struct Document<'a> {
            issuer: &'a str,
            jwks_uri: String,
        }

        let wrong = |message| ConfigError::new("issuer", message);
        let uri: Uri = issuer.parse().map_err(|_| wrong("is not a URL"))?;
        let (Some(scheme @ ("https" | "http")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(wrong("is not an https or http URL"));
        };
        if uri.query().is_some() || issuer.contains('#') {
            return Err(wrong("has a query or a fragment"));
        }
        let document = Document {
            issuer,
            jwks_uri: format!("{scheme}://{authority}{jwks_path}"),
        };
        let json = serde_json::to_string(&document).expect("a struct of strings always serializes");
        let tag = entity_tag(&json);
        Ok(Self {
            path: format!(
                "{}/.well-known/openid-configuration",
                uri.path().trim_end_matches('/')
            ),
            json: json.into(),
            etag: HeaderValue::try_from(format!("\"{tag}\"")).expect("base64url is visible ASCII"),
        })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn json(&self) -> Bytes {
        self.json.clone()
    }

    pub(super) const fn etag(&self) -> &HeaderValue {
        &self.etag
    }
}
