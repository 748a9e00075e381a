//! The keys as a service of its own.

use super::{
    BytesBody,
    answer::{Answer, MediaType},
};
use crate::PublishKeys;
use http::{Request, Response};
use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
    task::{Context, Poll},
};
use tower_service::Service;

/// A leaf service that answers every request with the published keys, whatever its path.
///
/// For a router that chooses the path itself: `Router::route_service` of axum, a `match` on the
/// path in a hyper service. It is always ready and never fails. To add the keys to a service as a
/// whole, use [`JwksLayer`](super::JwksLayer).
///
/// ```
/// use http::{Request, StatusCode};
/// use tower::ServiceExt;
/// use tower_jwks::{Algorithm, JwksEndpoint, KeyRing};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let endpoint = JwksEndpoint::new(KeyRing::generate(Algorithm::ES256)?);
/// // axum: Router::new().route_service("/keys", endpoint)
/// let response = endpoint.oneshot(Request::get("/keys").body(())?).await?;
/// assert_eq!(response.status(), StatusCode::OK);
/// assert_eq!(response.headers()["cache-control"], "public, max-age=600");
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct JwksEndpoint {
    answer: Answer,
}

impl JwksEndpoint {
    /// Publishes these keys: a [`KeyRing`](crate::KeyRing), a [`JwkSet`](crate::JwkSet).
    pub fn new(keys: impl PublishKeys) -> Self {
        Self {
            answer: Answer::new(keys),
        }
    }

    /// The media type for a client whose `Accept` names neither. Default: `application/json`.
    pub fn media_type(mut self, media_type: MediaType) -> Self {
        self.answer.media_type = media_type;
        self
    }
}

impl<B> Service<Request<B>> for JwksEndpoint {
    type Response = Response<BytesBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer.key_set(&request)))
    }
}

impl fmt::Debug for JwksEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksEndpoint")
            .field("media_type", &self.answer.media_type)
            .finish_non_exhaustive()
    }
}
