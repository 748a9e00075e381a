//! What a request is given, by its head.

use super::{
    body::StripBody,
    future::{BackendJwtFuture, WaitForJwt},
    policies::{Policies, Telling},
};
use crate::{
    Application, AuthType, Claims, VerifiedToken,
    field::strip,
    held::HeldFuture,
    mint::{Caller, Minter, Minting},
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
    /// there is something to set. What is yet to be signed has to be waited for.
    fn tell(
        self: &Arc<Self>,
        request: &mut Parts,
        names: &mut Arc<[HeaderName]>,
    ) -> Result<Option<WaitForJwt>, Refusal> {
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
        match self.mint(minter, request)? {
            Minting::Done(None) => {}
            Minting::Done(Some(value)) => set(request, header, value)?,
            Minting::Signing(awaited) => {
                return Ok(Some(WaitForJwt {
                    awaited,
                    header: header.clone(),
                    telling: Arc::clone(self),
                }));
            }
        }
        Ok(None)
    }

    /// The JWT for this request, if it is to have one.
    fn mint(&self, minter: &Arc<Minter>, request: &Parts) -> Result<Minting, Refusal> {
        let extensions = &request.extensions;
        let application = extensions.get::<Application>();
        let mut claims = extensions.get::<Claims>().cloned().unwrap_or_default();
        if let Some(token) = extensions.get::<VerifiedToken>() {
            if let Some(own) = &self.claims {
                claims = claims.merge(&own.backend_claims(token, request)?)?;
            }
            return minter.mint(Caller::Token(token), application, &claims);
        }
        let auth_type = AuthType::of(extensions)?;
        minter.mint(Caller::Without(auth_type), application, &claims)
    }
}

/// Puts a backend JWT into its field.
pub(super) fn set(
    request: &mut Parts,
    header: &HeaderName,
    value: HeaderValue,
) -> Result<(), Refusal> {
    let set = request.headers.try_insert(header.clone(), value);
    set.map(drop).map_err(|_| {
        Refusal::new(RefusalReason::BackendJwtTooLong)
            .with_detail("the request has no room for another header field")
    })
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for BackendJwt<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<StripBody<ResponseBody<ResBody>>>;
    type Error = S::Error;
    type Future = BackendJwtFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let mut names = self.telling.headers();
        let response = match self.telling.tell(&mut head, &mut names) {
            Ok(None) => {
                let request = Request::from_parts(head, body);
                HeldFuture::decided(ResponseFuture::inner(self.inner.call(request)))
            }
            Ok(Some(wait)) => HeldFuture::held(&mut self.inner, (head, body), wait),
            Err(refusal) => {
                let response = self.telling.responder.respond(refusal, &head);
                HeldFuture::decided(ResponseFuture::own(response))
            }
        };
        BackendJwtFuture::new(response, names)
    }
}
