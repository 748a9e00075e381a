//! Which URLs keys may be fetched from.

use crate::ConfigError;
use http::{Uri, uri::Scheme};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whom keys may be fetched from without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plain {
    Nobody,
    /// This very machine, for tests and demos.
    Loopback,
    Anybody,
}

/// The longest URL, in bytes.
const MAX_BYTES: usize = 2048;

/// A URL as it is shown: without its query, which may be anything.
pub(super) fn shown(uri: &Uri) -> String {
    let text = uri.to_string();
    match text.split_once('?') {
        Some((place, _)) => format!("{place}?…"),
        None => text,
    }
}

/// Reads a URL of http or https, without credentials and fragment.
pub(super) fn parse(field: &'static str, text: &str, plain: Plain) -> Result<Uri, ConfigError> {
    // What follows it may be secret, and what is before it is of no use then.
    if text.contains('@') {
        return Err(ConfigError::new(
            field,
            "has an @, and a URL with credentials is not taken",
        ));
    }
    if text.len() > MAX_BYTES || !text.is_ascii() {
        return Err(ConfigError::new(
            field,
            "is longer than 2048 bytes or not ASCII",
        ));
    }
    let place = text.split('?').next().unwrap_or_default();
    let wrong = |message: &str| Err(ConfigError::new(field, format!("{place:?} {message}")));
    if text.contains('#') {
        return wrong("has a fragment");
    }
    let Ok(uri) = text.parse::<Uri>() else {
        return wrong("is not a URL");
    };
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return wrong("is not a URL with scheme and host");
    };
    if *scheme == Scheme::HTTPS {
        return Ok(uri);
    }
    if *scheme != Scheme::HTTP {
        return wrong("is neither http nor https");
    }
    match plain {
        Plain::Anybody => Ok(uri),
        Plain::Loopback if is_loopback(authority.host()) => Ok(uri),
        Plain::Loopback | Plain::Nobody => wrong(
            "is without TLS, so that whoever is on the way could put in keys of their own; http is for loopback addresses",
        ),
    }
}

/// Whether nothing sent there leaves this machine.
fn is_loopback(host: &str) -> bool {
    let literal = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    match literal.parse() {
        Ok(IpAddr::V4(address)) => Ipv4Addr::is_loopback(&address),
        Ok(IpAddr::V6(address)) => address == Ipv6Addr::LOCALHOST,
        // RFC 6761 section 6.3.
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_tls_is_for_loopback_or_for_those_who_say_so() {
        for (url, nobody, loopback, anybody) in [
            ("https://idp.example.com/keys?p=a", true, true, true),
            ("http://127.0.0.1:8080/keys", false, true, true),
            ("http://127.9.9.9/keys", false, true, true),
            ("http://[::1]:8080/keys", false, true, true),
            ("http://localhost/keys", false, true, true),
            ("http://idp.example.com/keys", false, false, true),
            ("http://localhost.example.com/keys", false, false, true),
            ("http://127.0.0.1.example.com/keys", false, false, true),
            ("http://10.0.0.1/keys", false, false, true),
            ("http://[::ffff:127.0.0.1]/keys", false, false, true),
            ("ftp://127.0.0.1/keys", false, false, false),
            ("file:///etc/keys", false, false, false),
            (
                "https://user:secret@idp.example.com/keys",
                false,
                false,
                false,
            ),
            ("https://idp.example.com/keys#a", false, false, false),
            ("https://idp.example.com/\u{202e}", false, false, false),
            ("/keys", false, false, false),
            ("idp.example.com", false, false, false),
            ("", false, false, false),
        ] {
            let taken = |plain| parse("jwks_uri", url, plain).is_ok();
            assert_eq!(
                (
                    taken(Plain::Nobody),
                    taken(Plain::Loopback),
                    taken(Plain::Anybody)
                ),
                (nobody, loopback, anybody),
                "{url}"
            );
        }
    }

    #[test]
    fn an_error_names_the_url_but_no_credentials() {
        let error = |url| {
            parse("jwks_uri", url, Plain::Loopback)
                .unwrap_err()
                .to_string()
        };
        assert!(error("http://idp.example.com/keys").contains("http://idp.example.com/keys"));
        for url in [
            "https://user:secret@idp.example.com/",
            "https://user:secret@idp.example.com/#a",
            "https://user:sec ret@idp.example.com/",
            "https://idp.example.com/?code=secret#a",
            "http://idp.example.com/?code=secret",
        ] {
            let error = error(url);
            assert!(!error.contains("ret"), "{error}");
        }
        let uri = "https://idp.example.com/keys?code=secret".parse().unwrap();
        assert_eq!(shown(&uri), "https://idp.example.com/keys?…");
    }
}
