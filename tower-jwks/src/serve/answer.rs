//! What a JWKS request is answered: a function of the request's head and the published keys.

use super::{BytesBody, metadata::IssuerMetadata, rate_limit::RateLimit};
use crate::{KeysUnavailable, published::PublishKeys};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW,
        CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, RETRY_AFTER, USER_AGENT,
        VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use std::{sync::Arc, time::Duration};

/// The media type of a key set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaType {
    /// `application/json`: what every client understands.
    #[default]
    Json,
    /// `application/jwk-set+json` (RFC 7517 section 8.5.1).
    JwkSet,
}

impl MediaType {
    const fn value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::JwkSet => "application/jwk-set+json",
        })
    }
}

/// What a [`JwksLayer`](super::JwksLayer) and a [`JwksEndpoint`](super::JwksEndpoint) have in
/// common: the keys, and how they are presented.
#[derive(Clone)]
pub(super) struct Answer {
    pub(super) keys: Arc<dyn PublishKeys>,
    pub(super) media_type: MediaType,
    pub(super) rate_limit: Option<Arc<RateLimit>>,
}

impl Answer {
    pub(super) fn new(keys: impl PublishKeys) -> Self {
        Self {
            keys: Arc::new(keys),
            media_type: MediaType::default(),
            rate_limit: None,
        }
    }

    /// Answers a request for the key set.
    pub(super) fn key_set<B>(&self, request: &Request<B>) -> Response<BytesBody> {
        if let Some(refusal) = self.refuse(request.method()) {
            return refusal;
        }
        let keys = match self.keys.published() {
            Ok(keys) => keys,
            Err(unavailable) => return keys_unavailable(&unavailable),
        };
        let headers = request.headers();
        let media_type = asked_media_type(headers).unwrap_or(self.media_type);
        let etag = match media_type {
            MediaType::Json => &keys.etag,
            MediaType::JwkSet => &keys.etag_jwk_set,
        };
        let mut response = document(request, keys.body(), etag, media_type);
        if *request.method() == Method::GET || response.status() == StatusCode::NOT_MODIFIED {
            keys.known_to(headers.get(USER_AGENT));
        }
        let fields = response.headers_mut();
        fields.insert(CACHE_CONTROL, keys.cache_control.clone());
        fields.insert(VARY, HeaderValue::from_static("accept"));
        response
    }

    /// Answers a request for the issuer's metadata.
    pub(super) fn metadata<B>(
        &self,
        request: &Request<B>,
        metadata: &IssuerMetadata,
    ) -> Response<BytesBody> {
        if let Some(refusal) = self.refuse(request.method()) {
            return refusal;
        }
        let mut response = document(request, metadata.json(), metadata.etag(), MediaType::Json);
        response.headers_mut().insert(
            CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=600"),
        );
        response
    }

    /// The answer to a method that reads nothing, and to one request too many.
    fn refuse(&self, method: &Method) -> Option<Response<BytesBody>> {
        const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
        let mut response = match *method {
            Method::GET | Method::HEAD => {
                let wait = self.rate_limit.as_ref()?.take().err()?;
                return Some(too_many_requests(wait));
            }
            Method::OPTIONS => respond(StatusCode::NO_CONTENT),
            _ => respond(StatusCode::METHOD_NOT_ALLOWED),
        };
        let fields = response.headers_mut();
        fields.insert(ALLOW, METHODS);
        if *method == Method::OPTIONS {
            for (name, value) in [
                (ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
                (ACCESS_CONTROL_ALLOW_HEADERS, "*"),
                (ACCESS_CONTROL_MAX_AGE, "86400"),
            ] {
                fields.insert(name, HeaderValue::from_static(value));
            }
        }
        Some(response)
    }
}

/// A response with no body, and the fields that every answer carries: the keys are public, so any
/// origin may read them.
fn respond(status: StatusCode) -> Response<BytesBody> {
    let mut response = Response::new(BytesBody::default());
    *response.status_mut() = status;
    let fields = response.headers_mut();
    for (name, value) in [
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (ACCESS_CONTROL_EXPOSE_HEADERS, "etag"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        fields.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn document<B>(
    request: &Request<B>,
    json: Bytes,
    etag: &HeaderValue,
    media_type: MediaType,
) -> Response<BytesBody> {
    let known = has_tag(request.headers(), etag);
    let mut response = respond(if known {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    });
    let fields = response.headers_mut();
    fields.insert(ETAG, etag.clone());
    if !known {
        fields.insert(CONTENT_TYPE, media_type.value());
        fields.insert(CONTENT_LENGTH, HeaderValue::from(json.len()));
        if *request.method() != Method::HEAD {
            *response.body_mut() = BytesBody::new(json);
        }
    }
    response
}

fn keys_unavailable(unavailable: &KeysUnavailable) -> Response<BytesBody> {
    let mut response = respond(StatusCode::SERVICE_UNAVAILABLE);
    let fields = response.headers_mut();
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(after) = unavailable.retry_after() {
        fields.insert(RETRY_AFTER, seconds(after));
    }
    response
}

fn too_many_requests(wait: Duration) -> Response<BytesBody> {
    let mut response = respond(StatusCode::TOO_MANY_REQUESTS);
    let fields = response.headers_mut();
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(RETRY_AFTER, seconds(wait));
    response
}

/// At least one: `Retry-After: 0` invites a loop.
fn seconds(duration: Duration) -> HeaderValue {
    HeaderValue::from(duration.as_secs().max(1))
}

/// The members of a comma-separated field, over all its lines. Entity tags and media ranges with a
/// comma in quotes do not occur here: our tags have none, and a range that has one is none of ours.
fn list(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
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

/// The media type that `Accept` names with the higher weight, the first of equals. Wildcards and
/// other types ask for nothing in particular.
fn asked_media_type(headers: &HeaderMap) -> Option<MediaType> {
    let mut best: Option<(f32, MediaType)> = None;
    for range in list(headers, ACCEPT) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = match parts.next()?.to_ascii_lowercase().as_str() {
            "application/json" => MediaType::Json,
            "application/jwk-set+json" => MediaType::JwkSet,
            _ => continue,
        };
        let weight = parts
            .find_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")))
            .map_or(1.0, |weight| weight.parse().unwrap_or(0.0));
        if weight > best.map_or(0.0, |(weight, _)| weight) {
            best = Some((weight, media_type));
        }
    }
    best.map(|(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_chooses_the_media_type_it_weighs_most() {
        for (accept, expected) in [
            ("*/*", None),
            ("text/html", None),
            ("application/json", Some(MediaType::Json)),
            ("application/jwk-set+json", Some(MediaType::JwkSet)),
            ("Application/JWK-Set+JSON", Some(MediaType::JwkSet)),
            (
                "application/jwk-set+json, application/json",
                Some(MediaType::JwkSet),
            ),
            (
                "application/json, application/jwk-set+json",
                Some(MediaType::Json),
            ),
            (
                "application/json;q=0.5, application/jwk-set+json;q=0.9",
                Some(MediaType::JwkSet),
            ),
            (
                "application/jwk-set+json;q=0, application/json;q=0.1",
                Some(MediaType::Json),
            ),
            ("application/jwk-set+json;q=x", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(asked_media_type(&headers), expected, "{accept}");
        }
    }

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
