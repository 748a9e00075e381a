//! An API that takes tokens in more than one header.

use std::future;

use http::{HeaderName, Request};

use crate::{
    answer,
    body::Body,
    operation::{Answering, Operation},
};

/// The operation behind the layers for each header; a request is for those of the header that its token is
/// in. Nothing if there are no headers.
pub(crate) fn by_credential(choices: Vec<(HeaderName, Operation)>) -> Option<Operation> {
    // For a request without any token: says what is missing.
    let (_, usual) = choices.first()?.clone();
    if choices.len() == 1 {
        return Some(usual);
    }
    Some(Operation::of(move |request| {
        choose(&usual, &choices, request)
    }))
}

fn choose(
    usual: &Operation,
    choices: &[(HeaderName, Operation)],
    request: Request<Body>,
) -> Answering {
    let mut present = choices
        .iter()
        .filter(|(name, _)| request.headers().contains_key(name));
    match (present.next(), present.next()) {
        (None, _) => usual.answer(request),
        (Some((_, operation)), None) => operation.answer(request),
        // One of the two would be ignored, or go on unchecked.
        (Some(_), Some(_)) => Box::pin(future::ready(Ok(answer::bad_request(
            "the request has more than one access token",
        )))),
    }
}
