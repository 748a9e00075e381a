//! An operation with all its layers, as one thing that answers requests.

use std::{convert::Infallible, fmt, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as HttpBody;
use tower::{BoxError, Service, ServiceExt};

use crate::body::{self, Body};

/// The response of an operation, which is yet to come.
pub(crate) type Answering =
    Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// A layer's service, or the one inside of all layers.
pub(crate) trait Layered:
    Service<Request<Body>, Response = Response<Self::Body>, Error = Infallible, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static
{
    type Body: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
}

impl<S, B> Layered for S
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Body = B;
}

/// What answers the requests for an operation. Clones are the same.
///
/// The layers have their types up to here, where future and body are boxed: once for a request, however
/// many layers there are.
#[derive(Clone)]
pub(crate) struct Operation(Arc<dyn Fn(Request<Body>) -> Answering + Send + Sync>);

impl Operation {
    pub(crate) fn new(service: impl Layered) -> Self {
        Self::of(move |request| {
            let exchange = service.clone().oneshot(request);
            Box::pin(async move {
                let response = exchange.await?;
                Ok(response.map(body::boxed))
            })
        })
    }

    pub(crate) fn of(answer: impl Fn(Request<Body>) -> Answering + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    pub(crate) fn answer(&self, request: Request<Body>) -> Answering {
        (self.0)(request)
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Operation")
    }
}
