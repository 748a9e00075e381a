//! What a request is given, by its head.

use super::{body::StripBody, future::BackendJwtFuture, layer::BackendJwtLayer};
use crate::{
    Anonymous, Application, Claims, VerifiedToken,
    field::strip,
    refusal::{Refusal, RefusalReason},
};
use http::{HeaderName, HeaderValue, Request, Response, request::Parts};
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tower_jwks::{ResponseBody, ResponseFuture};
use tower_service::Service;

/// The service of a [`BackendJwtLayer`].
#[derive(Clone, Debug)]
pub struct BackendJwt<S> {
    inner: S,
    layer: Arc<BackendJwtLayer>,
}

impl<S> BackendJwt<S> {
    pub(super) const fn new(inner: S, layer: Arc<BackendJwtLayer>) -> Self {
        Self { inner, layer }
    }
}

impl BackendJwtLayer {
    fn header(&self) -> &HeaderName {
        self.minter.settings().policy.header_name()
    }

    /// Sets the field, where there is one to set.
    fn tell(&self, request: &mut Parts) -> Result<(), Refusal> {
        if let Some(value) = self.value(request)? {
            let set = request.headers.try_insert(self.header().clone(), value);
            set.map_err(|_| {
                Refusal::new(RefusalReason::BackendJwtTooLong)
                    .with_detail("the request has no room for another header field")
            })?;
        }
        Ok(())
    }

    /// The value of the field for this request; none for a caller that is anonymous on purpose.
    fn value(&self, request: &Parts) -> Result<Option<HeaderValue>, Refusal> {
        let Some(token) = request.extensions.get::<VerifiedToken>() else {
            return match request.extensions.get::<Anonymous>() {
                Some(Anonymous) => Ok(None),
                None => Err(Refusal::new(RefusalReason::MissingAccessTokenLayer)),
            };
        };
        let claims = match &self.claims {
            Some(claims) => claims.backend_claims(token, request)?,
            None => Claims::new(),
        };
        let application = request.extensions.get::<Application>();
        self.minter.mint(token, application, &claims).map(Some)
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for BackendJwt<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<StripBody<ResponseBody<ResBody>>>;
    type Error = S::Error;
    type Future = BackendJwtFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        strip(&mut head.headers, self.layer.header());
        let response = match self.layer.tell(&mut head) {
            Ok(()) => ResponseFuture::inner(self.inner.call(Request::from_parts(head, body))),
            Err(refusal) => ResponseFuture::own(self.layer.responder.respond(refusal, &head)),
        };
        BackendJwtFuture::new(response, self.layer.header().clone())
    }
}
