//! The keys beside a service: some paths are answered, all others pass.

use super::{
    BytesBody, ResponseBody, ResponseFuture,
    answer::{Answer, MediaType},
    metadata::IssuerMetadata,
    rate_limit::RateLimit,
};
use crate::{Clock, ConfigError, PublishKeys, SystemClock};
use http::{Request, Response};
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower_layer::Layer;
use tower_service::Service;

/// Answers the JWKS paths with the published keys and passes every other request on.
///
/// By default the paths are `/.wellknown/jwks`, where WSO2's gateways have them, and
/// `/.well-known/jwks.json`. `GET` and `HEAD` are answered from bytes rendered once, with a strong
/// `ETag` and `Cache-Control`; `OPTIONS` with CORS for every origin; other methods with `405`.
///
/// # Order
///
/// Outermost, before anything that asks for credentials: verifiers have none, and an upstream
/// must not shadow the paths. With axum, `Router::layer` wraps the fallback too, so that the
/// router needs no such routes; in a `ServiceBuilder` the first layer is the outermost.
///
/// # Deployment
///
/// A proxy in front must pass these paths on without authentication, and may cache the answers as
/// long as `Cache-Control` says. One that rewrites paths needs [`paths`](Self::paths) to match.
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_jwks::{Algorithm, JwksLayer, KeyRing};
/// # use http_body_util::Empty;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let service = service_fn(async |_: Request<()>| {
///     Ok::<_, std::convert::Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
/// });
/// let service = JwksLayer::new(KeyRing::generate(Algorithm::ES256)?).layer(service);
///
/// let response = service.oneshot(Request::get("/.wellknown/jwks").body(())?).await?;
/// assert_eq!(response.status(), StatusCode::OK);
/// assert_eq!(response.headers()["content-type"], "application/json");
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use]
pub struct JwksLayer {
    answer: Answer,
    paths: Arc<[Box<str>]>,
    metadata: Option<Arc<IssuerMetadata>>,
}

impl JwksLayer {
    /// The paths that are answered by default.
    pub const DEFAULT_PATHS: [&str; 2] = ["/.wellknown/jwks", "/.well-known/jwks.json"];

    /// Publishes these keys: a [`KeyRing`](crate::KeyRing), a [`JwkSet`](crate::JwkSet).
    pub fn new(keys: impl PublishKeys) -> Self {
        Self {
            answer: Answer::new(keys),
            paths: Self::DEFAULT_PATHS.map(Into::into).into(),
            metadata: None,
        }
    }

    /// Answers these paths instead, compared byte for byte.
    ///
    /// # Errors
    ///
    /// There is none, or one does not start with `/`. Set before
    /// [`with_issuer_metadata`](Self::with_issuer_metadata), which names one of them.
    pub fn paths<P: Into<String>>(
        mut self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, ConfigError> {
        let wrong = |message| ConfigError::new("paths", message);
        let paths: Vec<String> = paths.into_iter().map(Into::into).collect();
        if paths.is_empty() {
            return Err(wrong("are none"));
        }
        if paths.iter().any(|path| !path.starts_with('/')) {
            return Err(wrong("start with a slash"));
        }
        if self.metadata.is_some() {
            return Err(wrong(
                "are set before the issuer's metadata, which names one",
            ));
        }
        self.paths = paths.into_iter().map(String::into_boxed_str).collect();
        Ok(self)
    }

    /// Answers `/.well-known/openid-configuration` too, below the path of the issuer's URL if it
    /// has one, with `issuer` and `jwks_uri`: enough for verifiers that configure themselves from
    /// an issuer's URL. `jwks_uri` is the last of the paths, at the issuer's origin.
    ///
    /// # Errors
    ///
    /// The issuer is not an `https` or `http` URL, or has a query or a fragment.
    pub fn with_issuer_metadata(mut self, issuer: &str) -> Result<Self, ConfigError> {
        let path = self.paths.last().map_or("/", |path| path);
        self.metadata = Some(Arc::new(IssuerMetadata::new(issuer, path)?));
        Ok(self)
    }

    /// The media type for a client whose `Accept` names neither. Default: `application/json`.
    pub fn media_type(mut self, media_type: MediaType) -> Self {
        self.answer.media_type = media_type;
        self
    }

    /// Hands the keys out at most `quota` times in `window`, over all clients; a request more is
    /// answered `429` with `Retry-After`. Default: no limit, because an answer costs less than its
    /// refusal would save.
    pub fn rate_limit(self, quota: u32, window: Duration) -> Self {
        self.rate_limit_by(SystemClock, quota, window)
    }

    /// As [`rate_limit`](Self::rate_limit), with the time from `clock`.
    pub fn rate_limit_by(mut self, clock: impl Clock, quota: u32, window: Duration) -> Self {
        self.answer.rate_limit = Some(Arc::new(RateLimit::new(quota, window, clock)));
        self
    }

    fn answer<B>(&self, request: &Request<B>) -> Option<Response<BytesBody>> {
        let path = request.uri().path();
        if self.paths.iter().any(|ours| **ours == *path) {
            return Some(self.answer.key_set(request));
        }
        let metadata = self.metadata.as_ref()?;
        (metadata.path() == path).then(|| self.answer.metadata(request, metadata))
    }
}

impl fmt::Debug for JwksLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksLayer")
            .field("paths", &self.paths)
            .field("metadata", &self.metadata)
            .field("media_type", &self.answer.media_type)
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for JwksLayer {
    type Service = Jwks<S>;

    fn layer(&self, inner: S) -> Jwks<S> {
        Jwks {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service of a [`JwksLayer`].
#[derive(Clone, Debug)]
pub struct Jwks<S> {
    inner: S,
    layer: JwksLayer,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Jwks<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        match self.layer.answer(&request) {
            Some(response) => ResponseFuture::own(response),
            None => ResponseFuture::inner(self.inner.call(request)),
        }
    }
}
