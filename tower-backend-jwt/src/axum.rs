//! For axum: the extractors `VerifiedToken` and `Option<VerifiedToken>`, and a refusal as a
//! response.

use crate::{
    Anonymous, VerifiedToken,
    refusal::{Refusal, RefusalReason, Responder},
};
use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, Request,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
    request::Parts,
};
use std::{error::Error, fmt};

/// The token of the caller, as an argument of a handler. Refused with `401` for a caller who was let through without one, and
/// with `500` if no [`AccessTokenLayer`](crate::AccessTokenLayer) is before the handler.
impl<S: Sync> FromRequestParts<S> for VerifiedToken {
    type Rejection = TokenRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, TokenRejection> {
        <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state)
            .await?
            .ok_or(TokenRejection::Anonymous)
    }
}

/// The token of the caller, or `None` for a caller who was let through without one on purpose.
/// Refused with `500` if no [`AccessTokenLayer`](crate::AccessTokenLayer) is before the handler.
impl<S: Sync> OptionalFromRequestParts<S> for VerifiedToken {
    type Rejection = TokenRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, TokenRejection> {
        match parts.extensions.get::<Self>() {
            Some(token) => Ok(Some(token.clone())),
            None if parts.extensions.get::<Anonymous>().is_some() => Ok(None),
            None => Err(TokenRejection::MissingLayer),
        }
    }
}

/// The standard form of a refusal, for a handler that ends with `?`: `token.claims::<User>()?`.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (head, ()) = Request::new(()).into_parts();
        Responder::default().respond(self, &head).map(Body::new)
    }
}

/// Why a handler did not get the caller's token.
///
/// ```
/// use axum::{Router, body::Body, routing::get};
/// use http::Request;
/// use tower::ServiceExt;
/// use tower_backend_jwt::VerifiedToken;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// async fn hello(token: VerifiedToken) -> String {
///     format!("hello {}", token.subject().unwrap_or("client"))
/// }
///
/// // Somebody forgot `.layer(AccessTokenLayer::new(issuer))`, and learns it from the first request.
/// let app = Router::new().route("/hello", get(hello));
/// let response = app.oneshot(Request::get("/hello").body(Body::empty())?).await?;
/// assert_eq!(response.status(), 500);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenRejection {
    /// The caller was let through without a token, and the handler asks for one: `401`.
    Anonymous,
    /// No [`AccessTokenLayer`](crate::AccessTokenLayer) is before the handler: `500`.
    MissingLayer,
}

impl fmt::Display for TokenRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "the request carries no access token",
            Self::MissingLayer => {
                "no AccessTokenLayer is before this handler: add it to the router"
            }
        })
    }
}

impl Error for TokenRejection {}

impl IntoResponse for TokenRejection {
    fn into_response(self) -> Response {
        match self {
            Self::Anonymous => Refusal::new(RefusalReason::MissingCredentials).into_response(),
            // Whoever wrote the router reads this first in a test, and finds no log there.
            Self::MissingLayer => {
                let refusal = Refusal::new(RefusalReason::MissingAccessTokenLayer);
                let mut response = refusal.into_response();
                *response.body_mut() = Body::from(self.to_string());
                let fields = response.headers_mut();
                fields.remove(CONTENT_LENGTH);
                fields.insert(
                    CONTENT_TYPE,
                    HeaderValue::from_static("text/plain; charset=utf-8"),
                );
                response
            }
        }
    }
}
