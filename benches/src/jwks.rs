//! The published keys, beside the same answer from a service that knows nothing.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CACHE_CONTROL, CONTENT_LENGTH,
        CONTENT_TYPE, ETAG, IF_NONE_MATCH, USER_AGENT, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};
use tower::Service;

/// A verifier's request for the key set; with the entity tag that it has, if it has one.
pub fn jwks_request<B: Default>(tag: Option<&HeaderValue>) -> Request<B> {
    let mut request = Request::new(B::default());
    *request.uri_mut() = http::Uri::from_static("/.well-known/jwks.json");
    let agent = HeaderValue::from_static("python-requests/2.32.5");
    request.headers_mut().insert(USER_AGENT, agent);
    if let Some(tag) = tag {
        request.headers_mut().insert(IF_NONE_MATCH, tag.clone());
    }
    request
}

/// Answers as a [`JwksEndpoint`](tower_jwks::JwksEndpoint) does, with as many fields, from what never changes: the
/// least that such an answer can cost.
#[derive(Clone, Debug)]
pub struct StaticKeys {
    body: Bytes,
    tag: HeaderValue,
}

impl StaticKeys {
    /// Answers with this key set under this entity tag.
    #[must_use]
    pub fn new(body: Bytes, tag: HeaderValue) -> Self {
        Self { body, tag }
    }
}

impl<B> Service<Request<B>> for StaticKeys {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if *request.method() != Method::GET {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            return ready(Ok(response));
        }
        let known = request.headers().get(IF_NONE_MATCH) == Some(&self.tag);
        let body = if known {
            Full::default()
        } else {
            Full::new(self.body.clone())
        };
        let mut response = Response::new(body);
        let fields = response.headers_mut();
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (ACCESS_CONTROL_EXPOSE_HEADERS, "etag"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (CACHE_CONTROL, "public, max-age=600"),
            (VARY, "accept"),
        ] {
            fields.insert(name, HeaderValue::from_static(value));
        }
        fields.insert(ETAG, self.tag.clone());
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            let fields = response.headers_mut();
            fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            fields.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        ready(Ok(response))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench_kit::call;
    use tower_jwks::{Algorithm, JwksEndpoint, KeyRing};

    #[test]
    fn the_static_answer_has_the_fields_of_ours() {
        let keys = KeyRing::generate(Algorithm::ES256).unwrap();
        let mut ours = JwksEndpoint::new(keys.clone());
        let first = call(&mut ours, jwks_request::<()>(None));
        let tag = first.headers()[ETAG].clone();
        let json = keys.published().unwrap().json().to_owned();
        let mut others = StaticKeys::new(Bytes::from(json), tag.clone());
        for tag in [None, Some(&tag)] {
            let ours = call(&mut ours, jwks_request::<()>(tag));
            let others = call(&mut others, jwks_request::<()>(tag));
            assert_eq!(ours.status(), others.status());
            assert_eq!(ours.headers(), others.headers());
        }
    }
}
