//! The server: the three layers before the service.

use crate::{caller_server::CallerServer, service::Handlers};
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};
use tower::{BoxError, ServiceBuilder};
use tower_backend_jwt::{AccessTokenLayer, Api, BackendJwtLayer, Issuer};
use tower_jwks::{Algorithm, JwksLayer, KeyRing};

/// Serves until `end` completes.
pub(crate) async fn serve(
    listener: TcpListener,
    issuer: Issuer,
    end: impl Future<Output = ()>,
) -> Result<(), BoxError> {
    let keys = KeyRing::generate(Algorithm::ES256)?;
    let stack = ServiceBuilder::new()
        .layer(JwksLayer::new(keys.clone()))
        .layer(AccessTokenLayer::new(issuer).require_all_scopes(["greet"])?)
        .layer(BackendJwtLayer::new(keys).api(Api::new("caller", "1.0.0")));
    Server::builder()
        .accept_http1(true) // for those who fetch the JWKS; gRPC itself is HTTP/2
        .layer(stack)
        .add_service(CallerServer::new(Handlers))
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), end)
        .await?;
    Ok(())
}
