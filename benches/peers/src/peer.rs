//! What is compared, as the rows see it.

use crate::{provider::Provider, token::AUDIENCE};
use axum::{Router, body::Body, routing::get};
use http::{Request, StatusCode, header::AUTHORIZATION};
use std::future::Future;
use tower::ServiceExt as _;

/// In which state a peer meets the row.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Setup {
    /// Its default settings, the keys just fetched.
    Fresh,
    /// The next reason to fetch leads to a fetch, as if the last one were long ago. Where the crate
    /// lets nobody arrange that, its interval is a second.
    Due,
}

/// A crate that checks tokens by keys it fetches.
pub(crate) trait Peer: Send + Sync + Sized + 'static {
    /// With the version.
    const NAME: &'static str;
    /// When it fetches by its own defaults, as its source says.
    const FETCHES: &'static str;
    /// What ends the life of keys it holds while fetching fails, as its source says.
    const HELD: &'static str;
    /// Whether a token can make it fetch.
    const ON_DEMAND: bool;

    fn start(
        provider: &Provider,
        setup: Setup,
    ) -> impl Future<Output = Result<Self, String>> + Send;

    /// The status of a request with this token.
    fn send(&self, token: &str) -> impl Future<Output = StatusCode> + Send;
}

pub(crate) fn request<B: Default>(token: &str) -> Request<B> {
    Request::get("/orders")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(B::default())
        .expect("a token is a field value")
}

/// What the layers are put around.
pub(crate) fn router() -> Router {
    Router::new().route("/orders", get(async || AUDIENCE))
}

pub(crate) async fn oneshot(router: &Router, token: &str) -> StatusCode {
    let Ok(response) = router.clone().oneshot(request::<Body>(token)).await;
    response.status()
}

/// For `map_err`.
pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
