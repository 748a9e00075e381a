//! What a request is given, by its head.

use super::{
    body::StripBody,
    field_names::Names,
    future::{BackendJwtFuture, WaitForJwt},
    policies::{ChosenPolicy, OnePolicy, Policies, Telling},
};
use crate::{
    Application, AuthType, Claims, VerifiedToken,
    field::strip,
    head::Head,
    held::HeldFuture,
    mint::{Caller, Minter, Minting},
    refusal::{Refusal, RefusalReason},
};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Request, Response, request::Parts};
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
    /// Whether nobody looks at the head of a request but this layer: the policy, if so.
    const fn policy_without_head(&self) -> Option<&Arc<Minter>> {
        match (&self.policies, &self.claims) {
            (Policies::One(OnePolicy(minter)), None) => Some(minter),
            _ => None,
        }
    }

    /// Sets the field of the policy, where there is something to set. What is yet to be signed has to be
    /// waited for.
    fn tell_by_head(
        self: &Arc<Self>,
        request: &mut Parts,
        names: &mut Names,
    ) -> Result<Option<WaitForJwt>, Refusal> {
        let chosen;
        let minter = match &self.policies {
            Policies::One(OnePolicy(minter)) => minter,
            Policies::Chosen(ChosenPolicy {
                policies: set,
                choose,
            }) => {
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
        if !names.iter().any(|name| name == header) {
            // The set was changed since its fields were looked at, or has a successor.
            strip(&mut request.headers, header);
            names.add(header);
        }
        let own = match (&self.claims, request.extensions.get::<VerifiedToken>()) {
            (Some(claims), Some(token)) => Some(claims.backend_claims(token, request)?),
            _ => None,
        };
        self.tell_after(minter, request, own.as_ref())
    }

    /// Tells of the caller after this policy, with these claims beside those in the extensions.
    fn tell_after(
        self: &Arc<Self>,
        minter: &Arc<Minter>,
        request: &mut impl Head,
        own: Option<&Claims>,
    ) -> Result<Option<WaitForJwt>, Refusal> {
        let header = minter.settings().policy.header_name();
        match mint(minter, request.extensions(), own)? {
            Minting::Done(None) => Ok(None),
            Minting::Done(Some(value)) => {
                set(request.headers_mut(), header, value)?;
                Ok(None)
            }
            Minting::Signing(awaited) => Ok(Some(WaitForJwt {
                awaited,
                header: header.clone(),
                telling: Arc::clone(self),
            })),
        }
    }
}

/// The JWT for a request with these extensions, if it is to have one.
fn mint(
    minter: &Arc<Minter>,
    extensions: &Extensions,
    own: Option<&Claims>,
) -> Result<Minting, Refusal> {
    let application = extensions.get::<Application>();
    let mut claims = extensions.get::<Claims>().cloned().unwrap_or_default();
    if let Some(token) = extensions.get::<VerifiedToken>() {
        if let Some(own) = own {
            claims = claims.merge(own)?;
        }
        return minter.mint(Caller::Token(token), application, &claims);
    }
    let auth_type = AuthType::of(extensions)?;
    minter.mint(Caller::Without(auth_type), application, &claims)
}

/// Puts a backend JWT into its field.
pub(super) fn set(
    headers: &mut HeaderMap,
    header: &HeaderName,
    value: HeaderValue,
) -> Result<(), Refusal> {
    let set = headers.try_insert(header.clone(), value);
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

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let mut names = self.telling.headers();
        // What the caller sent in any of the gateway's fields.
        for name in names.iter() {
            strip(request.headers_mut(), name);
        }
        let told = match self.telling.policy_without_head() {
            Some(minter) => self.telling.tell_after(minter, &mut request, None),
            None => {
                let (mut head, body) = request.into_parts();
                let told = self.telling.tell_by_head(&mut head, &mut names);
                request = Request::from_parts(head, body);
                told
            }
        };
        // Each arm makes the whole future: it is large, and would be copied from one to the next.
        match told {
            Ok(None) => BackendJwtFuture::new(
                HeldFuture::decided(ResponseFuture::inner(self.inner.call(request))),
                names,
            ),
            Ok(Some(wait)) => BackendJwtFuture::new(
                HeldFuture::held(&mut self.inner, request.into_parts(), wait),
                names,
            ),
            Err(refusal) => {
                let (head, _) = request.into_parts();
                let response = self.telling.responder.respond(refusal, &head);
                BackendJwtFuture::new(HeldFuture::decided(ResponseFuture::own(response)), names)
            }
        }
    }
}
