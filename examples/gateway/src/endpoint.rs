//! Where an API's requests go.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use bytes::Bytes;
use http::{
    Uri,
    uri::{self, PathAndQuery},
};

use crate::{hosts::is_localhost, path};

/// The URL of the service behind: `http://host:port/base`.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    scheme: uri::Scheme,
    authority: uri::Authority,
    /// Without a trailing slash, so empty for the root.
    base: String,
}

impl Endpoint {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(['?', '#']) {
            return Err("a query or fragment has no place in an endpoint".to_owned());
        }
        let parts = text
            .parse::<Uri>()
            .map_err(|error| format!("not a URL: {error}"))?
            .into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err("not a URL with scheme and host".to_owned());
        };
        if scheme != uri::Scheme::HTTP && scheme != uri::Scheme::HTTPS {
            return Err(format!(
                "`{scheme}` is not implemented by this gateway: http or https"
            ));
        }
        if authority.as_str().contains('@') {
            return Err("credentials have no place in an endpoint".to_owned());
        }
        let base = parts
            .path_and_query
            .as_ref()
            .map_or("/", |path| path.path());
        path::check(base).map_err(|why| why.text().to_owned())?;
        Ok(Self {
            scheme,
            authority,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.scheme == uri::Scheme::HTTPS
    }

    /// Whether requests would come to whoever listens at this address, as far as no name server has to be
    /// asked for that.
    pub(crate) fn is_at(&self, address: SocketAddr) -> bool {
        let port = match self.authority.port_u16() {
            Some(port) => port,
            None if self.is_https() => 443,
            None => 80,
        };
        // Port 0 is another one each time.
        if port != address.port() || port == 0 {
            return false;
        }
        let listening = address.ip().to_canonical();
        let host = self.authority.host();
        if is_localhost(host) {
            return listening.is_unspecified()
                || listening == Ipv4Addr::LOCALHOST
                || listening == Ipv6Addr::LOCALHOST;
        }
        let Ok(named) = host.trim_matches(['[', ']']).parse::<IpAddr>() else {
            return false;
        };
        let named = match named.to_canonical() {
            // Who connects to no address in particular comes to this machine.
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
            named => named,
        };
        match listening {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => named.is_ipv4() && named.is_loopback(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => named.is_loopback(),
            listening => named == listening,
        }
    }

    pub(crate) const fn authority(&self) -> &uri::Authority {
        &self.authority
    }

    /// What is asked of the service: `rest` is the checked path behind the API's prefix, as it was written.
    /// Over http the path alone, as HTTP/1.1 has it; over https it depends on what is spoken there, so that
    /// is the client's to see to.
    pub(crate) fn url(&self, rest: &str, query: Option<&str>) -> Result<Uri, http::Error> {
        let query = query.map(|query| ["?", query]).unwrap_or_default();
        let root = if self.base.is_empty() && rest.is_empty() {
            "/"
        } else {
            ""
        };
        let target = [&self.base, rest, root, query[0], query[1]].concat();
        let mut parts = uri::Parts::default();
        parts.path_and_query = Some(PathAndQuery::from_maybe_shared(Bytes::from(target))?);
        if self.is_https() {
            parts.scheme = Some(self.scheme.clone());
            parts.authority = Some(self.authority.clone());
        }
        Ok(Uri::from_parts(parts)?)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_the_path_follows_the_endpoint() {
        for (endpoint, rest, query, url) in [
            ("http://a:9000/anything", "/test", None, "/anything/test"),
            (
                "http://a:9000/anything/",
                "/test/",
                Some("b=c&d"),
                "/anything/test/?b=c&d",
            ),
            ("https://a", "/test", Some(""), "https://a/test?"),
            ("http://a", "", None, "/"),
            ("http://a", "", Some("b"), "/?b"),
            ("http://a/b", "", None, "/b"),
            ("https://[::1]:9/b", "/%20", None, "https://[::1]:9/b/%20"),
        ] {
            let built = Endpoint::parse(endpoint).unwrap().url(rest, query).unwrap();
            assert_eq!(built.to_string(), url);
        }
    }

    #[test]
    fn an_address_is_known_however_it_is_written() {
        for (endpoint, listening, expected) in [
            ("http://127.0.0.1:9443", "127.0.0.1:9443", true),
            ("http://127.0.0.1:9443/a/b", "127.0.0.1:9443", true),
            ("https://127.0.0.1:9443", "127.0.0.1:9443", true),
            ("http://LOCALHOST:9443", "127.0.0.1:9443", true),
            ("http://localhost.:9443", "[::1]:9443", true),
            ("http://a.localhost:9443", "0.0.0.0:9443", true),
            ("http://127.0.0.1:9443", "0.0.0.0:9443", true),
            ("http://127.0.0.2:9443", "0.0.0.0:9443", true),
            ("http://127.0.0.1:9443", "[::]:9443", true),
            ("http://[::1]:9443", "[::]:9443", true),
            ("http://[::ffff:127.0.0.1]:9443", "127.0.0.1:9443", true),
            ("http://0.0.0.0:9443", "127.0.0.1:9443", true),
            ("http://0.0.0.0:9443", "0.0.0.0:9443", true),
            ("http://[::]:9443", "[::1]:9443", true),
            ("http://10.0.0.1:9443", "10.0.0.1:9443", true),
            ("http://127.0.0.1", "127.0.0.1:80", true),
            ("https://localhost", "127.0.0.1:443", true),
            ("http://127.0.0.1:9444", "127.0.0.1:9443", false),
            ("http://127.0.0.2:9443", "127.0.0.1:9443", false),
            ("http://10.0.0.2:9443", "10.0.0.1:9443", false),
            ("http://localhost:9443", "10.0.0.1:9443", false),
            ("http://[::1]:9443", "127.0.0.1:9443", false),
            ("http://[::1]:9443", "0.0.0.0:9443", false),
            ("http://127.0.0.1", "127.0.0.1:443", false),
            ("http://127.0.0.1:0", "127.0.0.1:0", false),
            ("http://localhost.example:9443", "0.0.0.0:9443", false),
        ] {
            let endpoint = Endpoint::parse(endpoint).unwrap();
            let is_at = endpoint.is_at(listening.parse().unwrap());
            assert_eq!(is_at, expected, "{endpoint} {listening}");
        }
    }

    #[test]
    fn an_endpoint_that_cannot_be_served_is_refused() {
        for (text, reason) in [
            ("", "not a URL"),
            ("/anything", "scheme and host"),
            ("a:9000", "scheme and host"),
            ("ws://a/b", "`ws` is not implemented"),
            ("http://user:secret@a/b", "credentials"),
            ("http://a/b?c", "query"),
            ("http://a/b#c", "fragment"),
            ("http://a/../b", "dot segment"),
        ] {
            let error = Endpoint::parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
