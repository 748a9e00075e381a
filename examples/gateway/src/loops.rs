//! Requests that come back: an API whose endpoint leads to this gateway again, in however many steps.
//!
//! Each request goes on with `CDN-Loop` (RFC 8586), to which the gateway adds a name that it makes up when
//! it starts; one that arrives with it is answered at once. `Via` (RFC 9110 section 7.6.3) would tell the
//! same, but some services do not compress what they answer to a request that has it.
//!
//! Goes outside of everything that takes off headers. What arrived goes on whatever they did, as no
//! intermediary may take a name off.

use std::{
    fmt::Write,
    task::{Context, Poll},
};

use aws_lc_rs::{error::Unspecified, rand};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use tower::Service;

use crate::{
    answer::{self, Answer},
    body::Body,
};

pub(crate) const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");

/// The name of this process among those that a request has come through.
#[derive(Debug, Clone)]
pub(crate) struct Pseudonym(HeaderValue);

/// Whom a request has come through, with this gateway; in the request's extensions.
#[derive(Debug, Clone)]
pub(crate) struct Trail(pub(crate) HeaderValue);

impl Pseudonym {
    /// One that nobody else has.
    pub(crate) fn random() -> Result<Self, Unspecified> {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes)?;
        let mut name = "gateway-".to_owned();
        for byte in bytes {
            let _ = write!(name, "{byte:02x}");
        }
        HeaderValue::try_from(name)
            .map(Self)
            .map_err(|_| Unspecified)
    }

    /// The service for requests that have not come through this gateway yet.
    pub(crate) fn guard<S>(&self, inner: S) -> DetectLoops<S> {
        let pseudonym = self.clone();
        DetectLoops { inner, pseudonym }
    }

    /// Nothing if the request has come through this gateway already.
    ///
    /// Cut at each comma, also where a quoted string has one: a client may be mistaken for a loop, but
    /// nobody hides one behind a quotation mark.
    fn trail(&self, headers: &HeaderMap) -> Option<Trail> {
        if !headers.contains_key(CDN_LOOP) {
            return Some(Trail(self.0.clone()));
        }
        let own = self.0.as_bytes();
        let mut trail = Vec::new();
        for value in headers.get_all(CDN_LOOP) {
            let is_own = |entry: &[u8]| {
                let name = entry.split(|byte| *byte == b';').next();
                name.is_some_and(|name| name.trim_ascii().eq_ignore_ascii_case(own))
            };
            if value.as_bytes().split(|byte| *byte == b',').any(is_own) {
                return None;
            }
            if !value.is_empty() {
                trail.extend_from_slice(value.as_bytes());
                trail.extend_from_slice(b", ");
            }
        }
        trail.extend_from_slice(own);
        // Made of values and visible characters, so it is one.
        HeaderValue::from_bytes(&trail).ok().map(Trail)
    }
}

/// See [`Pseudonym::guard`].
#[derive(Debug, Clone)]
pub(crate) struct DetectLoops<S> {
    inner: S,
    pseudonym: Pseudonym,
}

impl<S, A, B> Service<Request<A>> for DetectLoops<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    B: From<Body>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Answer<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let Some(trail) = self.pseudonym.trail(request.headers()) else {
            tracing::warn!(
                path = request.uri().path(),
                "a request has come through this gateway before: an endpoint leads back to it"
            );
            return Answer::own(Ok(answer::loop_detected().map(B::from)));
        };
        request.extensions_mut().insert(trail);
        Answer::inner(self.inner.call(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], expected: Option<&str>) {
        let headers: HeaderMap = values
            .iter()
            .map(|value| (CDN_LOOP, HeaderValue::try_from(*value).unwrap()))
            .collect();
        let trail = Pseudonym(HeaderValue::from_static("me")).trail(&headers);
        let trail = trail
            .as_ref()
            .map(|Trail(trail)| trail.to_str().unwrap().to_owned());
        assert_eq!(trail.as_deref(), expected, "{values:?}");
    }

    #[test]
    fn the_trail_is_kept_and_goes_on_with_the_gateway_in_it() {
        check(&[], Some("me"));
        check(&[""], Some("me"));
        check(&["a.example:80; b=c, d"], Some("a.example:80; b=c, d, me"));
        check(&["a", "b"], Some("a, b, me"));
        check(&["me2, notme, a; me"], Some("me2, notme, a; me, me"));
    }

    #[test]
    fn a_gateway_that_is_in_the_trail_is_found_however_it_is_written() {
        for values in [
            &["me"][..],
            &["a, me"],
            &["a,me,b"],
            &["a", "b, me"],
            &["me;a=b"],
            &[" ME ; a"],
            &["\"a, me"],
            &["a; b=\"c, me"],
        ] {
            check(values, None);
        }
    }

    #[test]
    fn no_two_gateways_have_the_same_name() {
        let [one, other] = [Pseudonym::random().unwrap(), Pseudonym::random().unwrap()];
        assert_ne!(one.0, other.0);
        assert_eq!(one.0.len(), "gateway-".len() + 32);
    }
}
