//! The handlers: who is calling is in the request's extensions.

use crate::{
    caller_server::Caller,
    messages::{GreetRequest, Greeting, WhoAmIReply, WhoAmIRequest},
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use tonic::{Request, Response, Status, async_trait, codegen::BoxStream};
use tower_backend_jwt::VerifiedToken;

#[derive(Debug)]
pub(crate) struct Handlers;

#[async_trait]
impl Caller for Handlers {
    async fn who_am_i(
        &self,
        request: Request<WhoAmIRequest>,
    ) -> Result<Response<WhoAmIReply>, Status> {
        let token = token(&request)?;
        Ok(Response::new(WhoAmIReply {
            subject: token.subject().unwrap_or_default().to_owned(),
            client_id: token.client_id().unwrap_or_default().to_owned(),
            scopes: token.scopes().map(str::to_owned).collect(),
            backend_claims: backend_claims(&request)?,
        }))
    }

    type GreetStream = BoxStream<Greeting>;

    async fn greet(
        &self,
        request: Request<GreetRequest>,
    ) -> Result<Response<Self::GreetStream>, Status> {
        let subject = token(&request)?.subject().unwrap_or("stranger").to_owned();
        let times = request.get_ref().times;
        let greetings = (1..=times).map(move |n| {
            Ok(Greeting {
                text: format!("Hello, {subject} ({n} of {times})"),
            })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(greetings))))
    }
}

/// The caller's token. It is there, because `AccessTokenLayer` lets nobody through without.
fn token<T>(request: &Request<T>) -> Result<&VerifiedToken, Status> {
    request
        .extensions()
        .get()
        .ok_or_else(|| Status::internal("no AccessTokenLayer is before this service"))
}

/// What the services that this one calls are to learn: a handler that calls one puts
/// `x-jwt-assertion` into its request, just as it got it. Here its claims are only shown.
fn backend_claims<T>(request: &Request<T>) -> Result<String, Status> {
    let jwt = request.metadata().get("x-jwt-assertion");
    jwt.and_then(|jwt| jwt.to_str().ok()?.split('.').nth(1))
        .and_then(|claims| BASE64_URL_SAFE_NO_PAD.decode(claims).ok())
        .and_then(|claims| String::from_utf8(claims).ok())
        .ok_or_else(|| Status::internal("no BackendJwtLayer is before this service"))
}
