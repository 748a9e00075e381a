//! Bodies that are passed on piece by piece, without the trailers that must not pass.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::time::Instant;
use tower::BoxError;
use tower_jwks::ResponseBody;

use crate::{fold::folded, forwarded, upstream::Linked};

pin_project! {
    /// The body of every request and response inside the gateway. Only what has the type of no other is
    /// boxed.
    #[derive(Debug)]
    #[project = BodyProjection]
    pub(crate) enum Body {
        /// As it comes from a client.
        Incoming { #[pin] body: Incoming },
        /// On its way back from a service behind.
        Passing { #[pin] body: Passing<Linked> },
        /// There already.
        Full { #[pin] body: Full<Bytes> },
        Boxed { #[pin] body: UnsyncBoxBody<Bytes, BoxError> },
    }
}

/// A body that is there already.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Body::Full {
        body: Full::new(bytes.into()),
    }
}

/// Any body as one of the gateway's.
pub(crate) fn boxed<B>(body: B) -> Body
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    Body::Boxed {
        body: body.map_err(Into::into).boxed_unsync(),
    }
}

/// For what answers outside of a layer.
impl From<Body> for ResponseBody<Body> {
    fn from(body: Body) -> Self {
        Self::inner(body)
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project() {
            BodyProjection::Incoming { body } => body.poll_frame(cx).map_err(Into::into),
            BodyProjection::Passing { body } => body.poll_frame(cx).map_err(Into::into),
            BodyProjection::Full { body } => body.poll_frame(cx).map_err(|never| match never {}),
            BodyProjection::Boxed { body } => body.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Incoming { body } => body.is_end_stream(),
            Self::Passing { body } => body.is_end_stream(),
            Self::Full { body } => body.is_end_stream(),
            Self::Boxed { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Incoming { body } => body.size_hint(),
            Self::Passing { body } => body.size_hint(),
            Self::Full { body } => body.size_hint(),
            Self::Boxed { body } => body.size_hint(),
        }
    }
}

/// The fields that must not come as trailers either: some servers merge trailers into the headers.
///
/// Names are compared folded. What [`forwarded`] takes off the headers is always among them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forbidden(Arc<[String]>);

impl Forbidden {
    pub(crate) fn new<'n>(names: impl IntoIterator<Item = &'n HeaderName>) -> Self {
        Self(names.into_iter().map(folded).collect())
    }

    fn strip(&self, trailers: &mut HeaderMap) {
        let names: Vec<HeaderName> = trailers
            .keys()
            .filter(|name| self.0.contains(&folded(name)) || forwarded::is_claim(name))
            .cloned()
            .collect();
        for name in names {
            trailers.remove(name);
        }
    }
}

/// How far a request has got.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    start: Instant,
    /// Nothing if the request has no body.
    body: Option<Arc<BodyProgress>>,
}

#[derive(Debug, Default)]
struct BodyProgress {
    /// When the last piece went by, since the start.
    millis: AtomicU64,
    is_over: AtomicBool,
}

impl Progress {
    /// Of a request that begins now, with a body that has ended already or one that is yet to come.
    pub(crate) fn new(has_body: bool) -> Self {
        Self {
            start: Instant::now(),
            body: has_body.then(Arc::default),
        }
    }

    /// When there was progress for the last time.
    pub(crate) fn last(&self) -> Instant {
        self.body.as_ref().map_or(self.start, |body| {
            self.start + Duration::from_millis(body.millis.load(Ordering::Relaxed))
        })
    }

    /// Whether the whole body went by.
    pub(crate) fn is_over(&self) -> bool {
        self.body
            .as_ref()
            .is_none_or(|body| body.is_over.load(Ordering::Relaxed))
    }

    fn note(&self, is_over: bool) {
        if let Some(body) = &self.body {
            let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
            body.millis.store(millis, Ordering::Relaxed);
            body.is_over.store(is_over, Ordering::Relaxed);
        }
    }
}

pin_project! {
    /// A body on its way through: loses forbidden trailers, notes its progress.
    #[derive(Debug)]
    pub(crate) struct Passing<B> {
        #[pin]
        inner: B,
        forbidden: Forbidden,
        progress: Option<Progress>,
    }
}

impl<B> Passing<B> {
    pub(crate) fn new(inner: B, forbidden: Forbidden) -> Self {
        Self {
            inner,
            forbidden,
            progress: None,
        }
    }

    pub(crate) fn noting(self, progress: Progress) -> Self {
        Self {
            progress: Some(progress),
            ..self
        }
    }
}

impl<B: HttpBody> HttpBody for Passing<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let mut frame = ready!(this.inner.as_mut().poll_frame(cx));
        if let Some(progress) = this.progress {
            progress.note(frame.is_none() || this.inner.is_end_stream());
        }
        if let Some(Ok(frame)) = &mut frame
            && let Some(trailers) = frame.trailers_mut()
        {
            this.forbidden.strip(trailers);
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

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::ready};

    use http::HeaderValue;

    use super::*;

    #[tokio::test]
    async fn forbidden_trailers_are_dropped_in_every_spelling() {
        let forbidden = Forbidden::new(&[
            HeaderName::from_static("x-jwt-assertion"),
            http::header::AUTHORIZATION,
        ]);
        let trailers = [
            "x-jwt-assertion",
            "X_JWT_Assertion",
            "x-jwt.assertion",
            "x~jwt!assertion",
            "authorization",
            "x-original-url",
            "x-checksum",
        ]
        .into_iter()
        .map(|name| {
            (
                HeaderName::try_from(name).unwrap(),
                HeaderValue::from_static("x"),
            )
        })
        .collect();
        let body =
            Full::new(Bytes::from_static(b"data"))
                .with_trailers(ready(Some(Ok::<_, Infallible>(trailers))));
        let collected = Passing::new(body, forbidden).collect().await.unwrap();
        let names: Vec<_> = collected.trailers().unwrap().keys().cloned().collect();
        assert_eq!(names, ["x-checksum"]);
        assert_eq!(collected.to_bytes(), "data");
    }

    #[test]
    fn the_length_of_a_body_is_known_on_the_way() {
        let body = Passing::new(Full::new(Bytes::from_static(b"data")), Forbidden::default());
        assert_eq!(body.size_hint().exact(), Some(4));
        assert!(!body.is_end_stream());
        assert!(Passing::new(Full::new(Bytes::new()), Forbidden::default()).is_end_stream());
    }
}
