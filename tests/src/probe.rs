//! A service that tells whether it was asked before it was called.

use std::{
    mem,
    task::{Context, Poll},
};
use tower::Service;

/// A service that panics when it is called without having been polled ready; a clone of it starts
/// unready, as that of a service which reserves something does.
#[derive(Debug)]
pub struct ReadyProbe<S> {
    inner: S,
    ready: bool,
}

impl<S> ReadyProbe<S> {
    /// Watches over `inner`.
    pub const fn new(inner: S) -> Self {
        Self {
            inner,
            ready: false,
        }
    }
}

impl<S: Clone> Clone for ReadyProbe<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone())
    }
}

impl<S: Service<R>, R> Service<R> for ReadyProbe<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let poll = self.inner.poll_ready(cx);
        self.ready |= matches!(poll, Poll::Ready(Ok(())));
        poll
    }

    fn call(&mut self, request: R) -> S::Future {
        let ready = mem::take(&mut self.ready);
        assert!(ready, "called without being polled ready");
        self.inner.call(request)
    }
}
