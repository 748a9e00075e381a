//! For axum: the extractors `VerifiedToken` and `Option<VerifiedToken>`, and a refusal as a response.

use crate::{
    Anonymous, VerifiedToken,
    refusal::{Refusal, Responder},
};
use axum_core::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{
    HeaderValue, Request, StatusCode,
    header::{CACHE_CONTROL, WWW_AUTHENTICATE},
    request::Parts,
};
use std::{error::Error, fmt};

/// The token of the caller. Refused with `401` for a caller who was let through without one, and
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
        let mut response = Response::new(Body::from(self.to_string()));
        let fields = response.headers_mut();
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let status = match self {
            Self::Anonymous => {
                fields.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                StatusCode::UNAUTHORIZED
            }
            Self::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
        };
        *response.status_mut() = status;
        response
    }
}
