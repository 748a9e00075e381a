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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{client::Client, demo::Provider};
    use tokio::sync::oneshot;
    use tonic::Code;

    /// A server at a socket of its own, and a client that calls it without a token.
    struct Pair {
        provider: Provider,
        client: Client,
        /// The server ends when this is dropped.
        _end: oneshot::Sender<()>,
    }

    impl Pair {
        async fn new() -> Result<Self, BoxError> {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let url = format!("http://{}", listener.local_addr()?);
            let provider = Provider::new()?;
            let (end, ended) = oneshot::channel();
            tokio::spawn(serve(listener, provider.issuer()?, async {
                let _ = ended.await;
            }));
            let client = Client::connect(url).await?;
            Ok(Self {
                provider,
                client,
                _end: end,
            })
        }

        fn client_with(&self, scope: &str) -> Result<Client, BoxError> {
            Ok(self.client.with_token(&self.provider.token(scope)?)?)
        }
    }

    #[tokio::test]
    async fn the_handler_knows_who_is_calling_and_what_services_behind_are_told() {
        let pair = Pair::new().await.unwrap();
        let reply = pair
            .client_with("openid greet")
            .unwrap()
            .who_am_i()
            .await
            .unwrap();
        assert_eq!(reply.subject, "alice");
        assert_eq!(reply.client_id, "demo-client");
        assert_eq!(reply.scopes, ["openid", "greet"]);
        let claims: serde_json::Value = serde_json::from_str(&reply.backend_claims).unwrap();
        assert_eq!(claims["iss"], "wso2.org/products/am");
        assert_eq!(claims["sub"], "alice");
        assert_eq!(claims["http://wso2.org/claims/apiname"], "caller");
    }

    #[tokio::test]
    async fn a_stream_is_answered_whole() {
        let pair = Pair::new().await.unwrap();
        let greetings = pair
            .client_with("greet")
            .unwrap()
            .greet(1000)
            .await
            .unwrap();
        assert_eq!(greetings.len(), 1000);
        assert_eq!(greetings[999], "Hello, alice (1000 of 1000)");
    }

    #[tokio::test]
    async fn without_a_token_a_call_is_unauthenticated() {
        let pair = Pair::new().await.unwrap();
        let status = pair.client.who_am_i().await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
        let status = pair.client.greet(1).await.unwrap_err();
        assert_eq!(status.code(), Code::Unauthenticated);
    }

    #[tokio::test]
    async fn a_token_of_somebody_else_is_unauthenticated() {
        let pair = Pair::new().await.unwrap();
        let stranger = Provider::new().unwrap().token("greet").unwrap();
        let client = pair.client.with_token(&stranger).unwrap();
        assert_eq!(
            client.who_am_i().await.unwrap_err().code(),
            Code::Unauthenticated
        );
    }

    #[tokio::test]
    async fn with_too_little_scope_permission_is_denied() {
        let pair = Pair::new().await.unwrap();
        let client = pair.client_with("openid").unwrap();
        assert_eq!(
            client.who_am_i().await.unwrap_err().code(),
            Code::PermissionDenied
        );
        assert_eq!(
            client.greet(1).await.unwrap_err().code(),
            Code::PermissionDenied
        );
    }
}
