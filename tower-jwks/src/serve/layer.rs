//! The keys beside a service: some paths are answered, all others pass.

use super::{
    BytesBody, ResponseBody, ResponseFuture,
    answer::{self, Answer, MediaType},
    metadata::IssuerMetadata,
    rate_limit::RateLimit,
};
use crate::{Clock, ConfigError, PublishKeys};
use http::{Request, Response, Uri};
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
    issuer: Option<Box<str>>,
    metadata: Option<Arc<IssuerMetadata>>,
}

impl JwksLayer {
    /// The paths that are answered by default.
    pub const DEFAULT_PATHS: &[&str] = &["/.wellknown/jwks", "/.well-known/jwks.json"];

    /// Publishes these keys: a [`KeyRing`](crate::KeyRing), a [`JwkSet`](crate::JwkSet).
    pub fn new(keys: impl PublishKeys) -> Self {
        Self {
            answer: Answer::new(keys),
            paths: Self::DEFAULT_PATHS
                .iter()
                .copied()
                .map(Into::into)
                .collect(),
            issuer: None,
            metadata: None,
        }
    }

    /// Answers these paths instead, compared byte for byte.
    ///
    /// # Errors
    ///
    /// There is none, or one is not the path of a URL, starting with a slash.
    pub fn paths<P: Into<String>>(
        mut self,
        paths: impl IntoIterator<Item = P>,
    ) -> Result<Self, ConfigError> {
        let paths: Vec<String> = paths.into_iter().map(Into::into).collect();
        let path = |path: &String| {
            path.starts_with('/') && path.parse::<Uri>().is_ok_and(|uri| uri.path() == path)
        };
        if paths.is_empty() {
            return Err(ConfigError::new("paths", "are none"));
        }
        if let Some(wrong) = paths.iter().find(|wrong| !path(wrong)) {
            return Err(ConfigError::new(
                "paths",
                format!("{wrong:?} is not the path of a URL"),
            ));
        }
        self.paths = paths.into_iter().map(String::into_boxed_str).collect();
        self.render_metadata()
    }

    /// Answers `/.well-known/openid-configuration` too, below the path of the issuer's URL if it
    /// has one, with `issuer` and `jwks_uri`: enough for verifiers that configure themselves from
    /// an issuer's URL. `jwks_uri` is at the issuer's origin: the first path under `/.well-known/`,
    /// or else the first.
    ///
    /// # Errors
    ///
    /// The issuer is not an `https` or `http` URL, or has a query or a fragment.
    pub fn with_issuer_metadata(mut self, issuer: &str) -> Result<Self, ConfigError> {
        self.issuer = Some(issuer.into());
        self.render_metadata()
    }

    fn render_metadata(mut self) -> Result<Self, ConfigError> {
        if let Some(issuer) = &self.issuer {
            let registered = self
                .paths
                .iter()
                .find(|path| path.starts_with("/.well-known/"));
            let path = registered.unwrap_or(&self.paths[0]);
            self.metadata = Some(Arc::new(IssuerMetadata::new(issuer, path)?));
        }
        Ok(self)
    }

    /// The media type for a client whose `Accept` names neither. Default: `application/json`.
    pub fn media_type(mut self, media_type: MediaType) -> Self {
        self.answer.media_type = media_type;
        self
    }

    /// Hands the keys out at most `quota` times in `window`, whole seconds, over all clients; a
    /// request more is answered `429` with `Retry-After`. Answers that hand out no keys do not count. Default: no
    /// limit, because an answer costs less than its refusal would save.
    ///
    /// # Errors
    ///
    /// A quota of none, or a window of less than a second.
    pub fn rate_limit(mut self, quota: u32, window: Duration) -> Result<Self, ConfigError> {
        let limit = RateLimit::new(quota, window)?;
        self.answer.rate_limit = Some(Arc::new(limit));
        Ok(self)
    }

    /// Takes the time from here, for the rate limit. Default: [`SystemClock`](crate::SystemClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.answer.clock = Arc::new(clock);
        self
    }

    fn answer<B>(&self, request: &Request<B>) -> Option<Response<BytesBody>> {
        let path = request.uri().path();
        if self.paths.iter().any(|ours| **ours == *path) {
            return Some(self.answer.key_set(request));
        }
        let metadata = self.metadata.as_ref()?;
        (metadata.path() == path).then(|| answer::metadata(request, metadata))
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
            layer: Arc::new(self.clone()),
        }
    }
}

/// The service of a [`JwksLayer`].
#[derive(Clone, Debug)]
pub struct Jwks<S> {
    inner: S,
    layer: Arc<JwksLayer>,
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
