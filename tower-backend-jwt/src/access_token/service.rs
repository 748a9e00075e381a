//! The decision about a request, by its head.

use super::{
    credentials::check_form,
    future::{AccessTokenFuture, WaitForKey},
    layer::Settings,
};
use crate::{
    Anonymous, VerifiedToken,
    field::{strip, strip_twins},
    head::Head,
    held::HeldFuture,
    identity::Sought,
    refusal::{Refusal, RefusalReason},
    verifier::Failure,
};
use http::{Request, Response, request::Parts};
use std::{
    sync::Arc,
    task::{Context, Poll},
};
use tower_jwks::{ResponseBody, ResponseFuture};
use tower_service::Service;

/// The service of an [`AccessTokenLayer`](super::AccessTokenLayer).
#[derive(Clone, Debug)]
pub struct AccessToken<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> AccessToken<S> {
    pub(super) const fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl Settings {
    /// Decides about a request by its head, and marks it with the decision.
    pub(super) fn admit(&self, request: &mut Parts) -> Result<(), Failure> {
        self.admit_with(request, |token, request| {
            let mut checks = self.checks.iter();
            checks.try_for_each(|check| check.token_check(token, request))
        })
    }

    /// The same, with these checks.
    fn admit_with<H: Head>(
        &self,
        request: &mut H,
        check: impl FnOnce(&VerifiedToken, &H) -> Result<(), Refusal>,
    ) -> Result<(), Failure> {
        // Whoever called may have built the request by hand: only what is decided here counts.
        request.extensions_mut().remove::<VerifiedToken>();
        request.extensions_mut().remove::<Anonymous>();
        match self.credentials.find(request.headers())? {
            Some(token) => {
                let token = self.verified(token)?;
                for requirement in &*self.requirements {
                    requirement.check(&token)?;
                }
                check(&token, request)?;
                request.extensions_mut().insert(token);
            }
            // A caller without a token has no scope either.
            None if self.optional && self.requirements.is_empty() => {
                request.extensions_mut().insert(Anonymous);
            }
            None => return Err(Refusal::new(RefusalReason::MissingCredentials).into()),
        }
        // What was read here must not be readable in another spelling further on, and what was not
        // read here not at all.
        if self.forward_token && request.extensions().get::<VerifiedToken>().is_some() {
            strip_twins(request.headers_mut(), &self.credentials.header);
        } else {
            strip(request.headers_mut(), &self.credentials.header);
        }
        Ok(())
    }

    /// The proof of a token: one that is remembered, or a new one.
    fn verified(&self, credentials: &[u8]) -> Result<VerifiedToken, Failure> {
        let token = self.verifier.seek(credentials).map_err(Failure::from);
        let verified = token.and_then(|token| self.prove(&token));
        verified.map_err(|failure| match check_form(credentials) {
            Ok(()) => failure,
            // No token at all: the request is what is wrong.
            Err(malformed) => malformed.into(),
        })
    }

    fn prove(&self, token: &Sought<'_>) -> Result<VerifiedToken, Failure> {
        let Some(tokens) = &self.tokens else {
            return self.verifier.check(token);
        };
        if let Some(known) = tokens.find(token) {
            match self.verifier.check_again(&known) {
                Some(Ok(())) => return Ok(known),
                Some(Err(refusal)) => {
                    // For good. Keys that are not to be had and a clock that is off may be over soon; and what is
                    // revoked is refused here for less than it costs to verify it again.
                    if refusal.reason() == RefusalReason::Expired {
                        tokens.remove(token);
                    }
                    return Err(refusal.into());
                }
                None => tokens.remove(token),
            }
        }
        let verified = self.verifier.check(token)?;
        tokens.insert(verified.clone());
        Ok(verified)
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for AccessToken<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = AccessTokenFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let admitted = if self.settings.checks.is_empty() {
            self.settings.admit_with(&mut request, |_, _| Ok(()))
        } else {
            let (mut head, body) = request.into_parts();
            let admitted = self.settings.admit(&mut head);
            request = Request::from_parts(head, body);
            admitted
        };
        // Each arm makes the whole future: it is large, and would be copied from one to the next.
        match admitted {
            Ok(()) => AccessTokenFuture::new(HeldFuture::decided(ResponseFuture::inner(
                self.inner.call(request),
            ))),
            Err(Failure {
                waiting: Some(waiting),
                ..
            }) => {
                let settings = Arc::clone(&self.settings);
                let wait = WaitForKey { waiting, settings };
                let held = HeldFuture::held(&mut self.inner, request.into_parts(), wait);
                AccessTokenFuture::new(held)
            }
            Err(Failure { refusal, .. }) => {
                let (head, _) = request.into_parts();
                let response = self.settings.responder.respond(refusal, &head);
                AccessTokenFuture::new(HeldFuture::decided(ResponseFuture::own(response)))
            }
        }
    }
}
