//! Where an issuer says its keys are: OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3.

use super::url::{self, Plain};
use crate::{ConfigError, jwk::without_values};
use http::{
    Uri,
    uri::{PathAndQuery, Scheme},
};
use serde::Deserialize;

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// Where the document of an issuer may be, the likeliest place first: OpenID Connect puts the
/// well-known part behind the issuer's path, RFC 8414 in front of it, and each has been done with
/// the other's name.
pub(super) fn places(issuer: &str, plain: Plain) -> Result<Vec<Uri>, ConfigError> {
    let uri = url::parse("issuer", issuer, plain)?;
    if uri.query().is_some() || issuer.contains('?') {
        return Err(ConfigError::new(
            "issuer",
            format!("{issuer:?} has a query, so that its metadata cannot be found"),
        ));
    }
    let path = uri.path().trim_end_matches('/');
    let mut places: Vec<Uri> = Vec::new();
    for place in [
        format!("{path}{OPENID}"),
        format!("{OAUTH}{path}"),
        format!("{OPENID}{path}"),
        format!("{path}{OAUTH}"),
    ] {
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = PathAndQuery::try_from(place).ok();
        if let Ok(place) = Uri::from_parts(parts)
            && !places.contains(&place)
        {
            places.push(place);
        }
    }
    Ok(places)
}

/// Reads `jwks_uri` from a document that has to be this very issuer's (RFC 8414 section 3.3).
pub(super) fn jwks_uri(issuer: &str, json: &[u8], plain: Plain) -> Result<Uri, ConfigError> {
    #[derive(Deserialize)]
    struct Metadata {
        issuer: String,
        jwks_uri: Option<String>,
    }

    let metadata: Metadata = serde_json::from_slice(json).map_err(|error| {
        let error = without_values(&error);
        ConfigError::new("metadata", format!("is no document of an issuer: {error}"))
    })?;
    if metadata.issuer != issuer {
        // Another party wrote it: escaped, and no longer than is worth reading.
        let theirs: String = metadata.issuer.chars().take(200).collect();
        return Err(ConfigError::new(
            "issuer",
            format!("the metadata is of {theirs:?}, not of {issuer:?}; every byte counts"),
        ));
    }
    let Some(jwks_uri) = metadata.jwks_uri else {
        return Err(ConfigError::new("jwks_uri", "is not in the metadata"));
    };
    // What came over TLS must not send us where there is none, this machine included.
    let plain = match plain {
        Plain::Loopback if is_plain(issuer) => Plain::Loopback,
        Plain::Loopback | Plain::Nobody => Plain::Nobody,
        Plain::Anybody => Plain::Anybody,
    };
    url::parse("jwks_uri", &jwks_uri, plain)
}

fn is_plain(issuer: &str) -> bool {
    issuer
        .parse()
        .is_ok_and(|issuer: Uri| issuer.scheme() == Some(&Scheme::HTTP))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(issuer: &str) -> Vec<String> {
        let places = places(issuer, Plain::Loopback).unwrap();
        places.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_document_is_looked_for_in_both_forms_under_both_names() {
        assert_eq!(
            texts("https://idp.example.com/realms/a"),
            [
                "https://idp.example.com/realms/a/.well-known/openid-configuration",
                "https://idp.example.com/.well-known/oauth-authorization-server/realms/a",
                "https://idp.example.com/.well-known/openid-configuration/realms/a",
                "https://idp.example.com/realms/a/.well-known/oauth-authorization-server",
            ]
        );
        for issuer in ["https://idp.example.com", "https://idp.example.com/"] {
            assert_eq!(
                texts(issuer),
                [
                    "https://idp.example.com/.well-known/openid-configuration",
                    "https://idp.example.com/.well-known/oauth-authorization-server",
                ]
            );
        }
        assert!(places("https://idp.example.com/?a=b", Plain::Loopback).is_err());
        assert!(places("https://idp.example.com?", Plain::Loopback).is_err());
        assert!(places("http://idp.example.com/", Plain::Loopback).is_err());
    }

    fn read(issuer: &str, json: &str) -> Result<String, String> {
        jwks_uri(issuer, json.as_bytes(), Plain::Loopback)
            .map(|uri| uri.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_document_is_believed_only_if_it_names_this_issuer_byte_for_byte() {
        const ISSUER: &str = "https://idp.example.com";
        let document = |issuer: &str| {
            format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://keys.example.com/a","x":1}}"#)
        };
        assert_eq!(
            read(ISSUER, &document(ISSUER)).as_deref(),
            Ok("https://keys.example.com/a")
        );
        for other in [
            "https://idp.example.com/",
            "https://IDP.example.com",
            "https://idp.example.com:443",
            "https://evil.example.com",
            "",
        ] {
            let error = read(ISSUER, &document(other)).unwrap_err();
            assert!(error.contains("every byte counts"), "{error}");
        }
    }

    #[test]
    fn a_document_that_leads_away_from_tls_is_refused() {
        let document = |issuer: &str, uri: &str| {
            read(
                issuer,
                &format!(r#"{{"issuer":"{issuer}","jwks_uri":"{uri}"}}"#),
            )
        };
        const SAFE: &str = "https://idp.example.com";
        const DEMO: &str = "http://127.0.0.1:8080";
        assert!(document(SAFE, "http://keys.example.com/a").is_err());
        assert!(document(SAFE, "http://127.0.0.1/a").is_err());
        assert!(document(SAFE, "file:///etc/keys").is_err());
        assert!(document(DEMO, "http://keys.example.com/a").is_err());
        assert!(document(DEMO, "http://127.0.0.1:8081/a").is_ok());
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        const ISSUER: &str = "https://idp.example.com";
        for json in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"issuer":"https://idp.example.com"}"#,
            r#"{"issuer":"https://idp.example.com","jwks_uri":null}"#,
            r#"{"issuer":["https://idp.example.com"],"jwks_uri":"https://a/"}"#,
            r#"{"issuer":"https://a","issuer":"https://idp.example.com","jwks_uri":"https://a/"}"#,
            "<!doctype html>",
        ] {
            assert!(read(ISSUER, json).is_err(), "{json}");
        }
    }
}
