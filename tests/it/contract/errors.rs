//! The error of a service is what comes out, of the type it had.

use super::{
    access_token, all, answered, application, backend_jwt, chosen, good, jwks, strip, user_claims,
};
use http::{Request, Response};
use std::{
    future::{Ready, ready},
    task::{Context, Poll},
};
use tests::body::{self, UnsyncBody};
use tower::{Layer, Service, ServiceExt};

/// An error that is nothing but itself: no `Error`, no `Debug`, no conversion.
#[derive(PartialEq, Eq)]
struct Broken(&'static str);

#[derive(Clone, Copy)]
enum Fails {
    Never,
    WhenPolled,
    WhenCalled,
}

impl<B> Service<Request<B>> for Fails {
    type Response = Response<UnsyncBody>;
    type Error = Broken;
    type Future = Ready<Result<Self::Response, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(match self {
            Self::WhenPolled => Err(Broken("polled")),
            Self::Never | Self::WhenCalled => Ok(()),
        })
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(match self {
            Self::WhenCalled => Err(Broken("called")),
            Self::Never | Self::WhenPolled => Ok(Response::new(UnsyncBody::new("fine"))),
        })
    }
}

async fn passes_errors_on<L, R>(layer: L)
where
    L: Layer<Fails, Service: Service<Request<UnsyncBody>, Response = Response<R>, Error = Broken>>,
    R: http_body::Body<Data = bytes::Bytes>,
{
    let send = async |fails| layer.layer(fails).oneshot(good(UnsyncBody::new(""))).await;
    assert!(matches!(
        send(Fails::WhenPolled).await,
        Err(Broken("polled"))
    ));
    assert!(matches!(
        send(Fails::WhenCalled).await,
        Err(Broken("called"))
    ));
    let Ok(response) = send(Fails::Never).await else {
        panic!("it did not fail");
    };
    assert_eq!(response.status(), 200);
    // Neither `Default` nor `Clone` nor `Sync`, and read to its end.
    assert_eq!(body::read(response.into_body()).await, "fine");
}

#[tokio::test]
async fn every_layer_passes_the_errors_of_the_service_behind_on_as_they_are() {
    passes_errors_on(jwks()).await;
    passes_errors_on(access_token()).await;
    passes_errors_on(backend_jwt()).await;
    passes_errors_on(chosen()).await;
    passes_errors_on(application()).await;
    passes_errors_on(user_claims()).await;
    passes_errors_on(strip()).await;
    passes_errors_on(all()).await;
}

async fn answers_without_calling<L, R>(layer: L)
where
    L: Layer<Fails, Service: Service<Request<UnsyncBody>, Response = Response<R>, Error = Broken>>,
    R: http_body::Body<Data = bytes::Bytes>,
{
    let service = layer.layer(Fails::WhenCalled);
    let Ok(response) = service.oneshot(answered(UnsyncBody::new(""))).await else {
        panic!("an answer of its own is never an error");
    };
    let _ = body::read(response.into_body()).await;
}

#[tokio::test]
async fn an_answer_of_a_layers_own_is_a_response_and_never_an_error() {
    answers_without_calling(jwks()).await;
    answers_without_calling(access_token()).await;
    answers_without_calling(backend_jwt()).await;
    answers_without_calling(chosen()).await;
    answers_without_calling(application()).await;
    answers_without_calling(user_claims()).await;
    answers_without_calling(all()).await;
}
