//! Bodies that can do nothing but be read.

use bytes::Bytes;
use http_body::{Body, Frame};
use std::{
    cell::Cell,
    convert::Infallible,
    marker::PhantomData,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// A body that is not `Clone`, `Debug` or `Default`, and of the auto traits only what its marker
/// leaves it.
#[allow(missing_debug_implementations)]
pub struct BareBody<M>(Option<Bytes>, PhantomData<M>);

/// `Send`, and not `Sync`: like a body that a server streams.
pub type UnsyncBody = BareBody<Cell<()>>;

/// Neither `Send` nor `Sync`.
pub type LocalBody = BareBody<Rc<()>>;

impl<M> BareBody<M> {
    /// A body of these bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self(Some(bytes.into()), PhantomData)
    }
}

// Nothing is pinned: the marker is of no data.
impl<M> Unpin for BareBody<M> {}

impl<M> Body for BareBody<M> {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// Reads a body to its end.
///
/// # Panics
///
/// The body fails.
pub async fn read<B: Body<Data = Bytes>>(body: B) -> Bytes {
    match http_body_util::BodyExt::collect(body).await {
        Ok(collected) => collected.to_bytes(),
        Err(_) => panic!("the body failed"),
    }
}
