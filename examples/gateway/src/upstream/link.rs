//! One HTTP/1.1 connection to a service behind. It has no task: whoever has a request on it drives it,
//! up to the end of the response, so that no task has to wake another.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, Connection, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::{Failure, RESPONSE_HEAD, lane::Lane};
use crate::body::{Body, Passing, Progress};

pub(super) type Outgoing = Request<Passing<Body>>;

/// A connection, and what sends a request on it.
#[derive(Debug)]
pub(super) struct Link {
    sender: SendRequest<Passing<Body>>,
    connection: Connection<TokioIo<TcpStream>, Passing<Body>>,
    is_open: bool,
    /// For the head of the response. Kept: to move it to a later time costs next to nothing.
    limit: Pin<Box<Sleep>>,
}

/// Why there is no response.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) failure: Failure,
    /// The request, if nothing of it has been sent.
    pub(super) unsent: Option<Outgoing>,
}

impl Link {
    pub(super) async fn new(stream: TokioIo<TcpStream>) -> hyper::Result<Self> {
        let (sender, connection) = http1::handshake(stream).await?;
        Ok(Self {
            sender,
            connection,
            is_open: true,
            limit: Box::pin(sleep_until(Instant::now() + RESPONSE_HEAD)),
        })
    }

    /// Sends a request, and waits for the head of the response as long as there is progress.
    pub(super) async fn exchange(
        &mut self,
        request: Outgoing,
        progress: &Progress,
    ) -> Result<Response<Incoming>, Unanswered> {
        let mut response = std::pin::pin!(self.sender.try_send_request(request));
        self.limit.as_mut().reset(progress.last() + RESPONSE_HEAD);
        poll_fn(|cx| {
            self.drive(cx);
            // It comes from the connection, which wakes this task.
            if let Poll::Ready(outcome) = response.as_mut().poll(&mut nobody()) {
                return Poll::Ready(outcome.map_err(|mut error| {
                    let unsent = error.take_message();
                    let failure = Failure::of(error.into_error().into());
                    Unanswered { failure, unsent }
                }));
            }
            while self.limit.as_mut().poll(cx).is_ready() {
                let end = progress.last() + RESPONSE_HEAD;
                if end <= Instant::now() {
                    return Poll::Ready(Err(Unanswered {
                        failure: Failure::ResponseTimeout,
                        unsent: None,
                    }));
                }
                self.limit.as_mut().reset(end);
            }
            Poll::Pending
        })
        .await
    }

    /// Reads and writes what can be now. What goes wrong, who has sent the request is told.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if self.is_open && Pin::new(&mut self.connection).poll(cx).is_ready() {
            self.is_open = false;
        }
    }

    /// Whether it can be used again. Has to be asked from time to time while it is not used: nobody else
    /// notices that the other side has closed it.
    pub(super) fn is_idle(&mut self) -> bool {
        self.drive(&mut nobody());
        self.is_open && self.sender.is_ready()
    }

    /// Done with one exchange, and not yet closed.
    async fn is_idle_again(&mut self) -> bool {
        poll_fn(|cx| {
            self.drive(cx);
            if self.is_open && !self.sender.is_ready() {
                return Poll::Pending;
            }
            Poll::Ready(self.is_open)
        })
        .await
    }

    /// For an upload that goes on beside the response: whoever reads the response slowly must not
    /// hold it up.
    pub(super) fn drive_on(mut self: Box<Self>, lane: Arc<Lane>) {
        tokio::spawn(async move {
            if self.is_idle_again().await {
                lane.put(self);
            }
        });
    }
}

/// The context of a poll that need not be repeated: something else sees to that.
fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

/// The body of a response. Drives the connection that it comes over, and gives it back at the end; one
/// that is dropped before closes it.
#[derive(Debug)]
pub(crate) struct Linked {
    body: Incoming,
    link: Option<(Box<Link>, Arc<Lane>)>,
}

impl Linked {
    pub(super) fn new(body: Incoming, link: Box<Link>, lane: Arc<Lane>) -> Self {
        let link = Some((link, lane));
        let mut linked = Self { body, link };
        if linked.body.is_end_stream() {
            linked.give_back();
        }
        linked
    }

    /// The same, with a connection that is seen to elsewhere.
    pub(super) const fn alone(body: Incoming) -> Self {
        Self { body, link: None }
    }

    fn give_back(&mut self) {
        if let Some((mut link, lane)) = self.link.take()
            && link.is_idle()
        {
            lane.put(link);
        }
    }
}

impl HttpBody for Linked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let Some((link, _)) = &mut this.link else {
            return Pin::new(&mut this.body).poll_frame(cx);
        };
        // What has been read already, or else what can be read now.
        let mut frame = Pin::new(&mut this.body).poll_frame(&mut nobody());
        if frame.is_pending() {
            link.drive(cx);
            frame = Pin::new(&mut this.body).poll_frame(&mut nobody());
        }
        let is_end = match &frame {
            Poll::Ready(Some(Ok(_))) => this.body.is_end_stream(),
            Poll::Ready(_) => true,
            Poll::Pending => false,
        };
        if is_end {
            this.give_back();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
