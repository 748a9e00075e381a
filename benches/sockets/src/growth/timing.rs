//! Time of many requests by one thread.

use crate::{Fault, stack};
use http::Request;
use http::{HeaderValue, Response, StatusCode};
use std::{convert::Infallible, time::Instant};
use tower::Service;

/// Nanoseconds that each of the requests took.
pub(super) fn each<S, B>(service: &mut S, tokens: &[HeaderValue]) -> Result<f64, Fault>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    repeated(service, tokens, tokens.len())
}

/// The same for so many requests with these tokens in turn.
pub(super) fn repeated<S, B>(
    service: &mut S,
    tokens: &[HeaderValue],
    requests: usize,
) -> Result<f64, Fault>
where
    S: Service<Request<()>, Response = Response<B>, Error = Infallible>,
{
    let start = Instant::now();
    for token in tokens.iter().cycle().take(requests) {
        let status = stack::call(service, token);
        if status != StatusCode::OK {
            return Err(format!("a request is answered {status}").into());
        }
    }
    Ok(start.elapsed().as_nanos() as f64 / requests as f64)
}
