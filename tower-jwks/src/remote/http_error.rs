//! Why the HTTP client could not fetch something.

use hyper_util::client::legacy;
use std::{error::Error, fmt, io, iter};

/// Why an [`HttpClient`](crate::HttpClient) could not fetch something: what it was doing; its
/// [`source`](Error::source) says what came in its way.
#[derive(Debug)]
pub struct HttpClientError {
    stage: Stage,
    error: Box<dyn Error + Send + Sync>,
}

impl HttpClientError {
    pub(super) fn new(stage: Stage, error: impl Error + Send + Sync + 'static) -> Self {
        Self {
            stage,
            error: error.into(),
        }
    }

    /// What hyper names as the cause, for its own words say what the stage says.
    fn cause(&self) -> &(dyn Error + 'static) {
        self.error.source().unwrap_or(self.error.as_ref())
    }
}

impl fmt::Display for HttpClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.stage {
            Stage::Connecting => "cannot connect",
            Stage::Tls => "the TLS handshake failed",
            Stage::Sending => "the request cannot be sent",
            Stage::Reading => "the response cannot be read",
        })
    }
}

impl Error for HttpClientError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.cause())
    }
}

/// What the client was doing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    Connecting,
    Tls,
    Sending,
    Reading,
}

impl Stage {
    /// What hyper was doing when it failed so.
    pub(super) fn of(error: &legacy::Error) -> Self {
        let mut causes = iter::successors(error.source(), |&error| error.source());
        let reading = |error: &hyper::Error| error.is_parse() || error.is_incomplete_message();
        match error.is_connect() {
            true if causes.any(is_tls) => Self::Tls,
            true => Self::Connecting,
            false if causes.any(|error| error.downcast_ref().is_some_and(reading)) => Self::Reading,
            false => Self::Sending,
        }
    }
}

fn is_tls(error: &(dyn Error + 'static)) -> bool {
    // What an I/O error wraps is not its source.
    let wraps_tls = |error: &io::Error| error.get_ref().is_some_and(|inner| is_tls(inner));
    error.is::<rustls::Error>() || error.downcast_ref().is_some_and(wraps_tls)
}
