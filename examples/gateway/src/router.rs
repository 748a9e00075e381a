//! From a request's path and method to the operation that it is for.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tower::Service;
use tracing::{Instrument, instrument::Instrumented};

use crate::{
    answer::{self, Answer},
    apis::Apis,
    body::Body,
    operation::Answering,
    path,
    proxy::Rest,
    routes::Found,
};

/// Passes each request to its operation, or answers that there is none.
#[derive(Debug, Clone)]
pub(crate) struct Router {
    apis: Arc<Apis>,
}

impl Router {
    pub(crate) const fn new(apis: Arc<Apis>) -> Self {
        Self { apis }
    }
}

impl Service<Request<Body>> for Router {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer<Instrumented<Answering>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let answer = |response| Answer::own(Ok(response));
        let path = request.uri().path();
        if let Err(why) = path::check(path) {
            return answer(answer::bad_request(why.text()));
        }
        // The operation that is found here is the request's own: what is deployed meanwhile is not for it.
        let table = self.apis.table();
        let (operation, rest) = match table.routes().find(request.method(), path) {
            Found::Operation(operation, rest) => (operation, Rest(rest.to_owned())),
            Found::OtherMethods(methods) => return answer(answer::method_not_allowed(&methods)),
            Found::NoResource => return answer(answer::no_resource()),
            Found::NoApi => return answer(answer::no_api()),
        };
        // What is logged of the request, a refusal above all, says which it was.
        let span = tracing::info_span!("request", method = %request.method(), path);
        request.extensions_mut().insert(rest);
        Answer::inner(operation.answer(request).instrument(span))
    }
}
