//! A layer asks nothing of the bodies and takes nothing from the service.

use super::{access_token, all, application, backend_jwt, chosen, good, jwks, strip, user_claims};
use http::{Request, Response};
use std::{
    cell::Cell,
    convert::Infallible,
    future::{Ready, ready},
    rc::Rc,
    task::{Context, Poll},
};
use tests::body::{self, LocalBody, UnsyncBody};
use tower::{Layer, Service, ServiceExt};

/// Can be cloned, sent and shared; its bodies cannot.
#[derive(Clone, Debug)]
struct Local;

impl Service<Request<LocalBody>> for Local {
    type Response = Response<LocalBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<LocalBody>) -> Self::Future {
        // The body that came is the body that goes.
        ready(Ok(Response::new(request.into_body())))
    }
}

async fn asks_nothing_of_the_bodies<L, R>(layer: L)
where
    L: Clone + Send + Sync + 'static,
    L: Layer<
            Local,
            Service: Service<Request<LocalBody>, Response = Response<R>, Error = Infallible>
                         + Clone
                         + Send
                         + Sync
                         + 'static,
        >,
    R: http_body::Body<Data = bytes::Bytes>,
{
    let service = layer.clone().layer(Local);
    let Ok(response) = service
        .clone()
        .oneshot(good(LocalBody::new("a body")))
        .await;
    assert_eq!(response.status(), 200);
    assert_eq!(body::read(response.into_body()).await, "a body");
}

#[tokio::test]
async fn every_layer_and_service_is_clone_send_and_sync_with_bodies_that_are_not() {
    asks_nothing_of_the_bodies(jwks()).await;
    asks_nothing_of_the_bodies(access_token()).await;
    asks_nothing_of_the_bodies(backend_jwt()).await;
    asks_nothing_of_the_bodies(chosen()).await;
    asks_nothing_of_the_bodies(application()).await;
    asks_nothing_of_the_bodies(user_claims()).await;
    asks_nothing_of_the_bodies(strip()).await;
    asks_nothing_of_the_bodies(all()).await;
}

#[test]
fn what_layers_share_is_clone_send_and_sync() {
    fn is_shared<T: Clone + Send + Sync + Unpin + std::fmt::Debug + 'static>() {}
    is_shared::<tower_backend_jwt::TokenCache>();
    is_shared::<tower_backend_jwt::Revocations>();
    is_shared::<tower_backend_jwt::KnownBy>();
    is_shared::<tower_backend_jwt::CacheStatus>();
    is_shared::<tower_backend_jwt::PreparedPolicy>();
    is_shared::<tower_backend_jwt::VerifiedToken>();
    is_shared::<tower_backend_jwt::Verifier>();
}

/// Is what its state is: cloned, sent and shared if that can be.
#[derive(Clone)]
struct Behind<T>(T);

/// Can be neither cloned nor sent.
struct Unclonable(#[expect(dead_code, reason = "it is there for what it cannot do")] Rc<()>);

impl<T> Service<Request<UnsyncBody>> for Behind<T> {
    type Response = Response<UnsyncBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<UnsyncBody>) -> Self::Future {
        ready(Ok(Response::new(request.into_body())))
    }
}

/// The response future is `Send`, though the bodies are not `Sync`.
async fn has_a_future_that_can_be_sent<L, T, R>(layer: L, state: T)
where
    L: Layer<
            Behind<T>,
            Service: Service<
                Request<UnsyncBody>,
                Response = Response<R>,
                Error = Infallible,
                Future: Send + 'static,
            >,
        >,
    R: http_body::Body<Data = bytes::Bytes> + Send + 'static,
{
    let mut service = layer.layer(Behind(state));
    let Ok(ready) = service.ready().await;
    let response = ready.call(good(UnsyncBody::new("a body")));
    let Ok(response) = tokio::spawn(response).await.unwrap();
    assert_eq!(body::read(response.into_body()).await, "a body");
}

#[tokio::test]
async fn every_response_future_can_be_sent_if_that_of_the_service_behind_can() {
    let unclonable = || Unclonable(Rc::new(()));
    has_a_future_that_can_be_sent(jwks(), unclonable()).await;
    has_a_future_that_can_be_sent(strip(), unclonable()).await;
    // A request that waits, for a key, a source or a signature, keeps a clone of the service, which then is in the future.
    has_a_future_that_can_be_sent(access_token(), Cell::new(())).await;
    has_a_future_that_can_be_sent(backend_jwt(), Cell::new(())).await;
    has_a_future_that_can_be_sent(chosen(), Cell::new(())).await;
    has_a_future_that_can_be_sent(application(), Cell::new(())).await;
    has_a_future_that_can_be_sent(user_claims(), Cell::new(())).await;
    has_a_future_that_can_be_sent(all(), Cell::new(())).await;
}
