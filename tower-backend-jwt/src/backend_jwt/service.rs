//! What a request is given, by its head.

use super::{
    body::StripBody,
    future::BackendJwtFuture,
    policies::{Policies, Telling},
};
use crate::{
    Anonymous, Application, AuthType, Claims, VerifiedToken,
    field::strip,
    mint::{Caller, Minter},
    refusal::{Refusal, RefusalReason},
};
use http::{HeaderName, HeaderValue, Request, Response, request::Parts};
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tower_jwks::{ResponseBody, ResponseFuture};
use tower_service::Service;

/// The service of a [`BackendJwtLayer`](super::BackendJwtLayer).
#[derive(Clone, Debug)]
pub struct BackendJwt<S> {
    inner: S,
    telling: Arc<Telling>,
}

impl<S> BackendJwt<S> {
    pub(super) const fn new(inner: S, telling: Arc<Telling>) -> Self {
        Self { inner, telling }
    }
}

impl Telling {
    /// Takes off what the caller sent in any of the gateway's fields, and sets the one of the policy, where
    /// there is something to set.
    fn tell(&self, request: &mut Parts, names: &mut Arc<[HeaderName]>) -> Result<(), Refusal> {
        for name in names.iter() {
            strip(&mut request.headers, name);
        }
        let chosen;
        let minter = match &self.policies {
            Policies::One(minter, _) => minter,
            Policies::Chosen(set, choose) => {
                let missing = || Refusal::new(RefusalReason::MissingPolicy);
                chosen = choose.choose_policy(set, request).ok_or_else(missing)?;
                if !set.has_prepared(&chosen) {
                    return Err(
                        missing().with_detail("the policy that was chosen is of another set")
                    );
                }
                chosen.minter()
            }
        };
        let header = minter.settings().policy.header_name();
        if !names.contains(header) {
            // The set was changed since its fields were looked at, or has a successor.
            strip(&mut request.headers, header);
            *names = names.iter().chain([header]).cloned().collect();
        }
        if let Some(value) = self.value(minter, request)? {
            let set = request.headers.try_insert(header.clone(), value);
            set.map_err(|_| {
                Refusal::new(RefusalReason::BackendJwtTooLong)
                    .with_detail("the request has no room for another header field")
            })?;
        }
        Ok(())
    }

    /// The value of the field for this request, if it is to have one.
    fn value(&self, minter: &Minter, request: &Parts) -> Result<Option<HeaderValue>, Refusal> {
        let extensions = &request.extensions;
        let application = extensions.get::<Application>();
        let mut claims = extensions.get::<Claims>().cloned().unwrap_or_default();
        if let Some(token) = extensions.get::<VerifiedToken>() {
            if let Some(own) = &self.claims {
                claims = claims
                    .and(&own.backend_claims(token, request)?)
                    .map_err(|error| {
                        Refusal::new(RefusalReason::UnusableClaims).with_detail(error.to_string())
                    })?;
            }
            return minter.mint(Caller::Token(token), application, &claims);
        }
        let auth_type = match (extensions.get(), extensions.get()) {
            (Some(auth_type), _) => auth_type,
            (None, Some(Anonymous)) => &AuthType::NONE,
            (None, None) => return Err(Refusal::new(RefusalReason::MissingAccessTokenLayer)),
        };
        minter.mint(Caller::Without(auth_type), application, &claims)
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
        let mut names = self.telling.headers();
        let response = match self.telling.tell(&mut head, &mut names) {
            Ok(()) => ResponseFuture::inner(self.inner.call(Request::from_parts(head, body))),
            Err(refusal) => ResponseFuture::own(self.telling.responder.respond(refusal, &head)),
        };
        BackendJwtFuture::new(response, names)
    }
}
