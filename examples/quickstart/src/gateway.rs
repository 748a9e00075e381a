//! The gateway: three layers around a small reverse proxy.

use crate::{keys, net::Client};
use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{StatusCode, header::HOST};
use tower::{BoxError, ServiceBuilder};
use tower_backend_jwt::{AccessTokenLayer, Api, BackendJwtLayer, Issuer, Policy};
use tower_jwks::{Algorithm, JwksLayer, KeyRing};

/// A gateway for the orders API of the service at `backend`, for callers with a token of
/// `provider`.
pub(crate) async fn app(
    client: &Client,
    provider: &str,
    backend: &str,
) -> Result<Router, BoxError> {
    // Whose access tokens it takes: the provider's, if they are for this API. Its URL is enough, as
    // it says there where its keys are.
    let issuer = Issuer::discover(provider).audience("orders").build()?;
    keys::wait_for(&issuer).await?;

    // What it signs with, and what it says.
    let keys = KeyRing::generate(Algorithm::RS256)?;
    let policy = Policy::default().audience("orders-backend");
    let api = Api::new("orders", "1.0.0").base_path("/orders");

    let layers = ServiceBuilder::new()
        // Answers GET /.wellknown/jwks. Nobody needs a token for that, so it comes first.
        .layer(JwksLayer::new(keys.clone()))
        // Answers 401, unless the access token verifies.
        .layer(AccessTokenLayer::new(issuer))
        // Puts X-JWT-Assertion into the request.
        .layer(BackendJwtLayer::new(keys).policy(policy)?.api(api));

    let proxy = Proxy {
        client: client.clone(),
        backend: backend.to_owned(),
    };
    Ok(Router::new()
        .fallback(forward)
        .with_state(proxy)
        .layer(layers))
}

#[derive(Clone)]
struct Proxy {
    client: Client,
    backend: String,
}

/// Passes a request on as it is. A proxy for real use does more: `examples/gateway`.
async fn forward(State(proxy): State<Proxy>, mut request: Request) -> Result<Response, StatusCode> {
    let path = request.uri().path_and_query();
    let path = path.map_or("/", |path| path.as_str());
    let url = format!("{}{path}", proxy.backend);
    *request.uri_mut() = url.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
    request.headers_mut().remove(HOST);
    match proxy.client.send(request).await {
        Ok(response) => Ok(response.into_response()),
        Err(_) => Err(StatusCode::BAD_GATEWAY),
    }
}
