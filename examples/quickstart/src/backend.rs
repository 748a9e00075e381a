//! The service behind: believes the gateway, by its keys, and nobody else.

use crate::keys;
use axum::{Router, extract::State, http::StatusCode, routing::get};
use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use tokio::sync::mpsc::UnboundedSender;
use tower::BoxError;
use tower_backend_jwt::{AccessTokenLayer, Issuer, Scheme, VerifiedToken};

pub(crate) const ASSERTION: HeaderName = HeaderName::from_static("x-jwt-assertion");

/// What reached the handler: only requests of which the gateway said who is calling.
pub(crate) struct Exchange {
    pub(crate) header: String,
    pub(crate) token: VerifiedToken,
}

/// The orders, for callers of whom the gateway says who they are. Each call is told to `seen`.
pub(crate) async fn app(
    gateway: &str,
    seen: UnboundedSender<Exchange>,
) -> Result<Router, BoxError> {
    // A backend JWT is verified like an access token: it has an issuer, who has keys, and an
    // audience, so that no other service can use here what it was sent.
    let jwks = format!("{gateway}/.wellknown/jwks");
    let issuer = Issuer::jwks("wso2.org/products/am", jwks)
        .audience("orders-backend")
        .build()?;
    keys::wait_for(&issuer).await?;
    let layer = AccessTokenLayer::new(issuer)
        .header(ASSERTION)
        .scheme(Scheme::Bare) // not after `Bearer`
        .forward_token(); // only so that the handler can show the header

    Ok(Router::new()
        .route("/orders", get(orders))
        .with_state(seen)
        .layer(layer))
}

/// The claims that this service needs.
#[derive(Deserialize)]
struct Caller {
    email: String,
    org_name: String,
}

/// The handler asks for a [`VerifiedToken`]: there is no other way to get one than a valid JWT.
async fn orders(
    token: VerifiedToken,
    State(seen): State<UnboundedSender<Exchange>>,
    headers: HeaderMap,
) -> Result<String, StatusCode> {
    let Caller { email, org_name } = token.claims().map_err(|refusal| refusal.status())?;
    let header = headers
        .get(ASSERTION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    // Nobody listens once the program ends.
    let _ = seen.send(Exchange { header, token });
    Ok(format!(
        "2 orders for {email} of {org_name}: tea, biscuits\n"
    ))
}
