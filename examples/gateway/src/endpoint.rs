//! Where an API's requests go.

use std::fmt;

use http::{Uri, uri};

use crate::path;

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

    /// The URL for a request: `rest` is the checked path behind the API's prefix, as it was written.
    pub(crate) fn url(&self, rest: &str, query: Option<&str>) -> Result<Uri, http::Error> {
        let mut target = format!("{}{rest}", self.base);
        if target.is_empty() {
            target.push('/');
        }
        if let Some(query) = query {
            target.push('?');
            target.push_str(query);
        }
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(target)
            .build()
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
            (
                "http://a:9000/anything",
                "/test",
                None,
                "http://a:9000/anything/test",
            ),
            (
                "http://a:9000/anything/",
                "/test/",
                Some("b=c&d"),
                "http://a:9000/anything/test/?b=c&d",
            ),
            ("https://a", "/test", Some(""), "https://a/test?"),
            ("http://a", "", None, "http://a/"),
            ("http://a", "", Some("b"), "http://a/?b"),
            ("http://a/b", "", None, "http://a/b"),
            ("http://[::1]:9/b", "/%20", None, "http://[::1]:9/b/%20"),
        ] {
            let built = Endpoint::parse(endpoint).unwrap().url(rest, query).unwrap();
            assert_eq!(built.to_string(), url);
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
