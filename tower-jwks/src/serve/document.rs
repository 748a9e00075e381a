//! A document that is served: with the header fields of its answers, which are made once.

use super::BytesBody;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_LENGTH,
        CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
    },
};

#[derive(Clone, Debug)]
pub(crate) struct Document {
    body: Bytes,
    etag: HeaderValue,
    /// The fields of an answer with the document.
    found: HeaderMap,
    /// And of one to who has it.
    not_modified: HeaderMap,
}

impl Document {
    /// `tag` is an entity tag without its quotes, of visible ASCII as `cache_control` is.
    pub(crate) fn new(
        body: Bytes,
        tag: &str,
        media_type: HeaderValue,
        cache_control: &str,
        others: &[(HeaderName, HeaderValue)],
    ) -> Self {
        let ascii = |text: &str| {
            HeaderValue::try_from(text).expect("tags and directives are visible ASCII")
        };
        let etag = ascii(&format!("\"{tag}\""));
        let mut not_modified = HeaderMap::new();
        insert_common(&mut not_modified);
        not_modified.insert(ETAG, etag.clone());
        not_modified.insert(CACHE_CONTROL, ascii(cache_control));
        for (name, value) in others {
            not_modified.insert(name, value.clone());
        }
        let mut found = not_modified.clone();
        found.insert(CONTENT_TYPE, media_type);
        found.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        Self {
            body,
            etag,
            found,
            not_modified,
        }
    }

    /// Answers a `GET` or a `HEAD`.
    pub(crate) fn answer<B>(&self, request: &Request<B>) -> Response<BytesBody> {
        let mut response = Response::new(BytesBody::default());
        if has_tag(request.headers(), &self.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.headers_mut() = self.not_modified.clone();
            return response;
        }
        *response.status_mut() = StatusCode::OK;
        *response.headers_mut() = self.found.clone();
        if *request.method() != Method::HEAD {
            *response.body_mut() = BytesBody::new(self.body.clone());
        }
        response
    }

    pub(crate) const fn body(&self) -> &Bytes {
        &self.body
    }
}

/// The fields that every answer carries: the keys are public, so any origin may read them.
pub(super) fn insert_common(fields: &mut HeaderMap) {
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, "etag"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        fields.insert(name, HeaderValue::from_static(value));
    }
}

/// The members of a comma-separated field, over all its lines. Entity tags and media ranges with a
/// comma in quotes do not occur here: our tags have none, and a range that has one is none of ours.
pub(super) fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// Whether `If-None-Match` holds the tag: weak comparison, RFC 9110 section 13.1.2.
fn has_tag(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    list(headers, IF_NONE_MATCH).any(|tag| {
        tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).as_bytes() == etag.as_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_none_match_is_compared_weakly_and_over_lists() {
        let etag = HeaderValue::from_static("\"abc\"");
        for (tags, expected) in [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("\"x\", \"abc\"", true),
            ("*", true),
            ("abc", false),
            ("\"abc.jwk-set\"", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_static(tags));
            assert_eq!(has_tag(&headers, &etag), expected, "{tags}");
        }
    }
}
