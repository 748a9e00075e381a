//! The document that leads from an issuer's URL to its keys.

use super::{MediaType, document::Document};
use crate::{ConfigError, published::entity_tag};
use http::Uri;
use serde::Serialize;

/// `issuer` and `jwks_uri`, as OpenID Connect Discovery 1.0 section 4 places them.
#[derive(Clone, Debug)]
pub(super) struct IssuerMetadata {
    path: String,
    document: Document,
}

impl IssuerMetadata {
    /// The issuer is configuration and never the request's `Host`, which the caller chooses.
    pub(super) fn new(issuer: &str, jwks_path: &str) -> Result<Self, ConfigError> {
        #[derive(Serialize)]
        struct Metadata<'a> {
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
        let metadata = Metadata {
            issuer,
            jwks_uri: format!("{scheme}://{authority}{jwks_path}"),
        };
        let json = serde_json::to_string(&metadata).expect("a struct of strings always serializes");
        let tag = entity_tag(&json);
        let path = format!(
            "{}/.well-known/openid-configuration",
            uri.path().trim_end_matches('/')
        );
        let media_type = MediaType::Json.value();
        Ok(Self {
            path,
            document: Document::new(json.into(), &tag, media_type, "public, max-age=600", &[]),
        })
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) const fn document(&self) -> &Document {
        &self.document
    }
}
