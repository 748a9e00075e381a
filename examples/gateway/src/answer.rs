//! The answers that the gateway gives itself, in the form of WSO2's error bodies.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::{HeaderValue, Method, Response, StatusCode, header};
use pin_project_lite::pin_project;
use serde_json::json;

use crate::body::{self, Body};

pin_project! {
    /// The response future of what answers some requests itself, and passes the others on.
    pub(crate) struct Answer<F: Future> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F: Future> {
        /// Nothing when it has been taken.
        Own { output: Option<F::Output> },
        Inner { #[pin] future: F },
    }
}

impl<F: Future> Answer<F> {
    pub(crate) const fn own(output: F::Output) -> Self {
        let output = Some(output);
        Self {
            kind: Kind::Own { output },
        }
    }

    pub(crate) const fn inner(future: F) -> Self {
        Self {
            kind: Kind::Inner { future },
        }
    }
}

impl<F: Future> Future for Answer<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().kind.project() {
            KindProjection::Own { output } => output.take().map_or(Poll::Pending, Poll::Ready),
            KindProjection::Inner { future } => future.poll(cx),
        }
    }
}

/// The path could be read in more than one way.
pub(crate) fn bad_request(why: &str) -> Response<Body> {
    error(StatusCode::BAD_REQUEST, "400", "Bad Request", why)
}

/// No API is served there.
pub(crate) fn no_api() -> Response<Body> {
    error(
        StatusCode::NOT_FOUND,
        "404",
        "Not Found",
        "No API is served at this path",
    )
}

/// The API has no such resource; 900906 is WSO2's code for it.
pub(crate) fn no_resource() -> Response<Body> {
    error(
        StatusCode::NOT_FOUND,
        "900906",
        "No matching resource",
        "The API has no resource at this path",
    )
}

/// The resource has other methods.
pub(crate) fn method_not_allowed(allowed: &[&Method]) -> Response<Body> {
    let mut response = error(
        StatusCode::METHOD_NOT_ALLOWED,
        "405",
        "Method Not Allowed",
        "The resource does not have this method",
    );
    let names = allowed
        .iter()
        .map(|method| method.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    if let Ok(allow) = HeaderValue::try_from(names) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// The gateway itself is at fault; the log says how.
pub(crate) fn internal_error() -> Response<Body> {
    error(
        StatusCode::INTERNAL_SERVER_ERROR,
        "500",
        "Internal Server Error",
        "The gateway has failed",
    )
}

/// The service behind cannot be reached, or broke off.
pub(crate) fn bad_gateway() -> Response<Body> {
    error(
        StatusCode::BAD_GATEWAY,
        "502",
        "Bad Gateway",
        "The service behind the gateway cannot be reached",
    )
}

/// The request has come through this gateway already.
pub(crate) fn loop_detected() -> Response<Body> {
    error(
        StatusCode::LOOP_DETECTED,
        "508",
        "Loop Detected",
        "The request has come through this gateway before",
    )
}

/// The service behind does not answer in time.
pub(crate) fn gateway_timeout() -> Response<Body> {
    error(
        StatusCode::GATEWAY_TIMEOUT,
        "504",
        "Gateway Timeout",
        "The service behind the gateway does not answer",
    )
}

fn error(status: StatusCode, code: &str, message: &str, description: &str) -> Response<Body> {
    let text = json!({ "code": code, "error_message": message, "error_description": description });
    let mut response = Response::new(body::full(text.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
