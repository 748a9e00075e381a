//! What a JWKS request is answered: a function of the request's head and the published keys.

use super::{
    BytesBody,
    document::{insert_common, list},
    metadata::IssuerMetadata,
    rate_limit::RateLimit,
};
use crate::{Clock, KeysUnavailable, SystemClock, published::PublishKeys};
use http::{
    HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCEPT, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE,
        ALLOW, CACHE_CONTROL, RETRY_AFTER, USER_AGENT,
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
    pub(crate) const fn value(self) -> HeaderValue {
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
    /// For the limit.
    pub(super) clock: Arc<dyn Clock>,
}

impl Answer {
    pub(super) fn new(keys: impl PublishKeys) -> Self {
        Self {
            keys: Arc::new(keys),
            media_type: MediaType::default(),
            rate_limit: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// Answers a request for the key set.
    pub(super) fn key_set<B>(&self, request: &Request<B>) -> Response<BytesBody> {
        if let Some(refusal) = refuse(request.method()) {
            return refusal;
        }
        if let Some(limit) = &self.rate_limit
            && let Err(wait) = limit.take(self.clock.now())
        {
            return too_many_requests(wait);
        }
        let keys = match self.keys.published() {
            Ok(keys) => keys,
            Err(unavailable) => return keys_unavailable(&unavailable),
        };
        let media_type = asked_media_type(request.headers()).unwrap_or(self.media_type);
        let response = keys.document(media_type).answer(request);
        if *request.method() == Method::GET || response.status() == StatusCode::NOT_MODIFIED {
            keys.known_to(request.headers().get(USER_AGENT));
        }
        response
    }
}

/// Answers a request for the issuer's metadata.
pub(super) fn metadata<B>(request: &Request<B>, metadata: &IssuerMetadata) -> Response<BytesBody> {
    refuse(request.method()).unwrap_or_else(|| metadata.document().answer(request))
}

/// The answer to a method that reads nothing.
fn refuse(method: &Method) -> Option<Response<BytesBody>> {
    const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, OPTIONS");
    let mut response = match *method {
        Method::GET | Method::HEAD => return None,
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

/// A response with no body.
fn respond(status: StatusCode) -> Response<BytesBody> {
    let mut response = Response::new(BytesBody::default());
    *response.status_mut() = status;
    insert_common(response.headers_mut());
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
}
