//! One document over HTTP, within limits that the client does not have to know.

use super::{
    lifetime::{after_sending, lifetime},
    url::shown,
};
use crate::{BytesBody, JwkSet};
use bytes::{Buf, BufMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header, response::Parts,
};
use http_body::Body;
use std::{
    error::Error,
    fmt::Write,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    time::Duration,
};
use tower_service::Service;

pub(super) type BoxError = Box<dyn Error + Send + Sync>;
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The longest text of an error of another party that is kept.
const MAX_ERROR_CHARS: usize = 300;

/// What to ask for.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) uri: Uri,
    /// The media types that are taken, in the order of preference.
    pub(super) media_types: &'static [&'static str],
    /// Whether a copy that a cache on the way has kept will not do.
    pub(super) past_caches: bool,
}

/// What came.
#[derive(Debug)]
pub(super) enum Fetched<T> {
    New(Document),
    /// What was known is still right.
    NotModified(T, Option<Duration>),
}

#[derive(Debug)]
pub(super) struct Document {
    pub(super) bytes: Vec<u8>,
    pub(super) etag: Option<HeaderValue>,
    pub(super) lifetime: Option<Duration>,
}

/// Why nothing came, in words.
#[derive(Debug)]
pub(super) struct FetchError {
    pub(super) message: String,
    /// The status, when it is that which was wrong.
    pub(super) status: Option<StatusCode>,
    /// How long the provider asks not to be asked again.
    pub(super) asked_pause: Option<Duration>,
}

impl FetchError {
    /// Part of the text may be another party's: what it is made of and how long it is has bounds.
    pub(super) fn new(message: impl AsRef<str>) -> Self {
        let harmless = |char: char| match char {
            ' '..='~' | '…' => char,
            _ => '?',
        };
        let message = message.as_ref().chars().map(harmless);
        Self {
            message: message.take(MAX_ERROR_CHARS).collect(),
            status: None,
            asked_pause: None,
        }
    }

    fn with_status(self, status: StatusCode) -> Self {
        Self {
            status: Some(status),
            ..self
        }
    }

    /// The same, with the place where it happened.
    pub(super) fn at(self, uri: &Uri) -> Self {
        Self {
            message: format!("{}: {}", shown(uri), self.message),
            ..self
        }
    }
}

/// An HTTP client whose type is forgotten.
pub(super) trait Client: Send + Sync {
    /// The response, with a body that is no longer than a key set may be.
    fn send(&self, request: Request<BytesBody>) -> BoxFuture<Result<(Parts, Vec<u8>), FetchError>>;
}

pub(super) struct AnyClient<S>(pub(super) S);

impl<S, B> Client for AnyClient<S>
where
    S: Service<Request<BytesBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    fn send(&self, request: Request<BytesBody>) -> BoxFuture<Result<(Parts, Vec<u8>), FetchError>> {
        let mut service = self.0.clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx))
                .await
                .map_err(|error| FetchError::new(in_words(&*error.into())))?;
            let response = service
                .call(request)
                .await
                .map_err(|error| FetchError::new(in_words(&*error.into())))?;
            let (head, body) = response.into_parts();
            check_head(&head)?;
            let bytes = read(body).await?;
            Ok((head, bytes))
        })
    }
}

/// Fetches a document, or learns that what is known of that place, by this entity tag, is right.
pub(super) async fn fetch<T>(
    client: &dyn Client,
    query: Query,
    known: Option<(HeaderValue, T)>,
) -> Result<Fetched<T>, FetchError> {
    let (etag, known) = known.unzip();
    let (head, bytes) = client.send(request(&query, etag)?).await?;
    let lifetime = lifetime(&head.headers);
    if head.status == StatusCode::NOT_MODIFIED {
        return match known {
            Some(known) => Ok(Fetched::NotModified(known, lifetime)),
            None => Err(FetchError::new(
                "answered 304 though nothing was there to be unmodified",
            )),
        };
    }
    check_media_type(&head.headers, query.media_types)
        .map_err(|error| error.with_status(head.status))?;
    Ok(Fetched::New(Document {
        bytes,
        etag: head.headers.get(header::ETAG).cloned(),
        lifetime,
    }))
}

fn request(query: &Query, etag: Option<HeaderValue>) -> Result<Request<BytesBody>, FetchError> {
    let mut request = Request::new(BytesBody::default());
    *request.uri_mut() = query.uri.clone();
    let fields = request.headers_mut();
    let accept = HeaderValue::try_from(query.media_types.join(", "))
        .map_err(|error| FetchError::new(error.to_string()))?;
    fields.insert(header::ACCEPT, accept);
    // A limit on what is unpacked would be one more than is needed.
    let identity = HeaderValue::from_static("identity");
    fields.insert(header::ACCEPT_ENCODING, identity);
    fields.insert(header::USER_AGENT, USER_AGENT);
    if let Some(etag) = etag {
        fields.insert(header::IF_NONE_MATCH, etag);
    }
    if query.past_caches {
        let no_cache = HeaderValue::from_static("no-cache");
        fields.insert(header::CACHE_CONTROL, no_cache);
    }
    Ok(request)
}

const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("tower-jwks/", env!("CARGO_PKG_VERSION")));

/// What can be refused before the body is read.
fn check_head(head: &Parts) -> Result<(), FetchError> {
    let status = head.status;
    let wrong = |message: String| {
        Err(FetchError {
            asked_pause: asked_pause(&head.headers),
            ..FetchError::new(message).with_status(status)
        })
    };
    match status {
        StatusCode::OK | StatusCode::NOT_MODIFIED => {}
        _ if status.is_redirection() => {
            return wrong(format!(
                "answered {status}: it is elsewhere now, and redirects are not followed"
            ));
        }
        _ => return wrong(format!("answered {status}")),
    }
    let text = |name: &HeaderName| head.headers.get(name).map(HeaderValue::as_bytes);
    match text(&header::CONTENT_ENCODING) {
        None | Some(b"" | b"identity") => {}
        Some(_) => {
            return Err(FetchError::new(
                "answered with a packed body nobody asked for",
            ));
        }
    }
    let length = text(&header::CONTENT_LENGTH)
        .and_then(|length| str::from_utf8(length).ok())
        .and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > JwkSet::MAX_BYTES as u64) {
        return Err(too_long());
    }
    Ok(())
}

/// Only its type and subtype count, compared without case (RFC 9110 section 8.3.1).
fn check_media_type(headers: &HeaderMap, taken: &[&str]) -> Result<(), FetchError> {
    let Some(field) = headers.get(header::CONTENT_TYPE) else {
        return Err(FetchError::new("answered without a media type"));
    };
    let field = String::from_utf8_lossy(field.as_bytes());
    let essence = field.split(';').next().unwrap_or_default().trim();
    if taken
        .iter()
        .any(|taken| taken.eq_ignore_ascii_case(essence))
    {
        return Ok(());
    }
    let essence: String = essence.chars().take(100).collect();
    Err(FetchError::new(format!(
        "answered with the media type {essence:?}, not with {}",
        taken.join(" or ")
    )))
}

/// Reads a body to its end, or to its limit.
async fn read<B>(body: B) -> Result<Vec<u8>, FetchError>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|error| FetchError::new(in_words(&*error.into())))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.remaining() > JwkSet::MAX_BYTES - bytes.len() {
            return Err(too_long());
        }
        bytes.put(data);
    }
    Ok(bytes)
}

fn too_long() -> FetchError {
    FetchError::new("answered with more than 256 KiB")
}

/// Seconds, or a date by the sender's clock (RFC 9110 section 10.2.3).
fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let field = headers.get(header::RETRY_AFTER)?;
    match field.to_str().ok()?.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => after_sending(headers, field),
    }
}

/// An error of the client with all of its causes, in one line.
pub(super) fn in_words(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        // Many a library repeats its cause in its own text.
        if !text.contains(&cause) {
            let _ = write!(text, ": {cause}");
        }
        source = error.source();
    }
    text
}
