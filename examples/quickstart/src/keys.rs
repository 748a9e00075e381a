//! Waiting for keys, because this program calls its own services at once.

use std::time::Duration;
use tokio::time::timeout;
use tower::BoxError;
use tower_backend_jwt::Issuer;

/// Longer than a fetch may take, so that it is known what went wrong.
const LIMIT: Duration = Duration::from_secs(10);

/// Ends when the issuer's keys are there. A service does not have to wait for them: until then it
/// answers 503, and its clients come back.
pub(crate) async fn wait_for(issuer: &Issuer) -> Result<(), BoxError> {
    if timeout(LIMIT, issuer.ready()).await.is_ok() {
        return Ok(());
    }
    let failure = issuer
        .status()
        .fetching
        .and_then(|fetching| fetching.last_error);
    let reason = failure.map_or("nobody answers".to_owned(), |failure| failure.message);
    Err(format!("no keys of {}: {reason}", issuer.name()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;
    use tower::service_fn;
    use tower_jwks::{BytesBody, RemoteJwks};

    #[tokio::test(start_paused = true)]
    async fn a_provider_that_is_not_there_is_an_error_that_says_so() {
        const PROVIDER: &str = "https://idp.example.com";
        let nobody = service_fn(async |_| Err::<Response<BytesBody>, _>("connection refused"));
        let keys = RemoteJwks::discover(PROVIDER).client(nobody).build();
        let issuer = Issuer::from_source(PROVIDER, keys.unwrap())
            .audience("orders")
            .build()
            .unwrap();
        let error = wait_for(&issuer).await.unwrap_err().to_string();
        assert!(
            error.starts_with("no keys of https://idp.example.com: "),
            "{error}"
        );
        assert!(error.ends_with(": connection refused"), "{error}");
    }
}
