//! Which request a line in the log is of.
//!
//! Not a span of `tracing`: that would be written out for each request, though few are told of.

use std::fmt;

use http::{Method, Request, Uri};
use tokio::task::futures::TaskLocalFuture;
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FormatFields,
        format::{DefaultFields, Writer},
    },
};

tokio::task_local! {
    static REQUEST: RequestLine;
}

/// Method and path of a request. Its query is nobody's business.
#[derive(Debug, Clone)]
pub(crate) struct RequestLine {
    method: Method,
    uri: Uri,
}

impl RequestLine {
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
        }
    }

    /// What `future` logs, a refusal above all, says that it was this request.
    pub(crate) fn during<F: Future>(self, future: F) -> TaskLocalFuture<Self, F> {
        REQUEST.scope(self, future)
    }
}

impl fmt::Display for RequestLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, uri } = self;
        write!(f, "request{{method={method} path={:?}}}", uri.path())
    }
}

/// The fields of events as usual, behind the request that an event is of.
#[derive(Debug, Default)]
pub struct OfRequest(DefaultFields);

impl<'w> FormatFields<'w> for OfRequest {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        // Outside of requests there is none.
        REQUEST
            .try_with(|request| write!(writer, "{request}: "))
            .unwrap_or(Ok(()))?;
        self.0.format_fields(writer, fields)
    }
}
