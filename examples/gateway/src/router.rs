//! From a request's path and method to the operation that it is for.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use tokio::task::futures::TaskLocalFuture;
use tower::Service;

use crate::{
    answer::{self, Answer},
    apis::Apis,
    body::Body,
    log::RequestLine,
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
    type Future = Answer<TaskLocalFuture<RequestLine, Answering>>;

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
            Found::Operation(operation, rest) => (operation, Rest(path.len() - rest.len())),
            Found::OtherMethods(methods) => return answer(answer::method_not_allowed(&methods)),
            Found::NoResource => return answer(answer::no_resource()),
            Found::NoApi => return answer(answer::no_api()),
        };
        let line = RequestLine::of(&request);
        request.extensions_mut().insert(rest);
        Answer::inner(line.during(operation.answer(request)))
    }
}
