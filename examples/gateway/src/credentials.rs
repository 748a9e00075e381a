//! An API that takes tokens in more than one header.

use std::{
    convert::Infallible,
    future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderName, Request, Response};
use tower::{Service, ServiceExt, util::BoxCloneSyncService};

use crate::{answer, body::Body, stack::OperationService};

/// Chooses an operation's layers by the header that the request's token is in.
#[derive(Debug, Clone)]
pub(crate) struct ByCredential {
    /// For a request without any token: says what is missing.
    usual: OperationService,
    choices: Arc<[(HeaderName, OperationService)]>,
}

impl ByCredential {
    /// The operation behind the layers for each header. Nothing if there are no headers.
    pub(crate) fn service(
        choices: Vec<(HeaderName, OperationService)>,
    ) -> Option<OperationService> {
        let (_, usual) = choices.first()?.clone();
        if choices.len() == 1 {
            return Some(usual);
        }
        Some(BoxCloneSyncService::new(Self {
            usual,
            choices: choices.into(),
        }))
    }
}

impl Service<Request<Body>> for ByCredential {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut present = self
            .choices
            .iter()
            .filter(|(name, _)| request.headers().contains_key(name));
        let service = match (present.next(), present.next()) {
            (None, _) => self.usual.clone(),
            (Some((_, service)), None) => service.clone(),
            // One of the two would be ignored, or go on unchecked.
            (Some(_), Some(_)) => {
                let answer = answer::bad_request("the request has more than one access token");
                return Box::pin(future::ready(Ok(answer)));
            }
        };
        Box::pin(service.oneshot(request))
    }
}
