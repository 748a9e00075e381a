//! Services at the end of a stack, which show what reached them.

use bytes::Bytes;
use http::{HeaderMap, Request, Response, request::Parts};
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::{Ready, ready},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tower::Service;

/// Answers every request with its header fields, as a JSON object of arrays, and keeps its head.
///
/// Its clones share what they keep.
#[derive(Clone, Debug, Default)]
pub struct Echo(Arc<Mutex<Vec<Parts>>>);

impl Echo {
    /// An echo that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many requests came through.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The head of the last request that came through, extensions included.
    ///
    /// # Panics
    ///
    /// None did.
    #[must_use]
    pub fn last(&self) -> Parts {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.last().expect("a request came through").clone()
    }

    /// The only value of a field of the last request; `None` if it had none.
    ///
    /// # Panics
    ///
    /// No request came through, or the field was there twice or is no text.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let head = self.last();
        let mut values = head.headers.get_all(name).into_iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "{name} is there twice");
        Some(value.to_str().expect("a text").to_owned())
    }
}

impl<B> Service<Request<B>> for Echo {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let head = request.into_parts().0;
        let json = headers_json(&head.headers).to_string();
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push(head);
        ready(Ok(Response::new(Full::from(json))))
    }
}

fn headers_json(headers: &HeaderMap) -> serde_json::Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    headers
        .keys()
        .map(|name| {
            let values = headers.get_all(name).into_iter();
            let values: Vec<String> = values.map(|value| text(value.as_bytes())).collect();
            (name.as_str().to_owned(), values.into())
        })
        .collect::<serde_json::Map<_, serde_json::Value>>()
        .into()
}
