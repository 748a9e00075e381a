//! The response's body, without the fields among its trailers.

use super::field_names::Names;
use crate::field::strip;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// The response body of a layer that removes header fields: fields of those names are not among
    /// its trailers either.
    #[derive(Debug, Default)]
    pub struct StripBody<B> {
        #[pin]
        inner: B,
        names: Names,
    }
}

impl<B> StripBody<B> {
    pub(super) const fn new(inner: B, names: Names) -> Self {
        Self { inner, names }
    }
}

impl<B: Body> Body for StripBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let mut frame = ready!(this.inner.poll_frame(cx));
        if let Some(Ok(frame)) = &mut frame
            && let Some(trailers) = frame.trailers_mut()
        {
            for name in this.names.iter() {
                strip(trailers, name);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
