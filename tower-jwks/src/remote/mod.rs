//! Keys that are fetched from the identity provider that publishes them.

mod absent;
#[cfg(feature = "client")]
mod address;
mod budget;
mod builder;
#[cfg(feature = "client")]
mod connector;
mod discovery;
mod events;
mod fetch;
#[cfg(feature = "client")]
mod http_client;
#[cfg(feature = "client")]
mod http_error;
mod last_good;
mod lifetime;
mod locate;
#[cfg(feature = "reqwest")]
mod reqwest_client;
mod seeking;
mod state;
mod task;
#[cfg(all(test, any(feature = "client", feature = "reqwest")))]
mod test_server;
mod timing;
mod url;

pub use self::builder::RemoteJwksBuilder;
#[cfg(feature = "reqwest")]
pub use self::reqwest_client::{ReqwestBody, ReqwestClient, ReqwestError, ReqwestFuture};
#[cfg(feature = "client")]
pub use self::{
    http_client::{HttpClient, HttpClientBody, HttpClientBuilder, HttpClientFuture},
    http_error::HttpClientError,
};

use self::{builder::Location, state::State};
use crate::{Algorithm, FetchFailure, KeySet, KeySource, KeysStatus, KeysUnavailable, Waiting};
use std::{
    fmt,
    sync::{Arc, Weak},
};
use tokio::task::AbortHandle;

/// The keys of an identity provider, fetched from where it publishes them and kept up to date.
/// Cheap to clone; the clones share the keys.
///
/// A task in the background fetches them. No request waits for it: [`keys`](KeySource::keys) returns
/// what is there. The one exception is a token whose key is not there: it may have the set fetched
/// out of turn, within a budget, and wait a moment for the outcome.
///
/// ```
/// # use bytes::Bytes;
/// # use http::{Request, Response};
/// # use http_body_util::Full;
/// # use tower_jwks::{Algorithm, BytesBody, JwkSet, SigningKey};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let theirs = SigningKey::generate(Algorithm::ES256)?;
/// # let set = JwkSet::new([theirs.jwk().clone()])?;
/// # let provider = tower::service_fn(move |_: Request<BytesBody>| {
/// #     let body = Full::<Bytes>::from(set.json().to_owned());
/// #     let response = Response::builder().header("content-type", "application/json").body(body);
/// #     std::future::ready(response)
/// # });
/// use tower_jwks::{KeySource, RemoteJwks};
///
/// let keys = RemoteJwks::at("https://idp.example.com", "https://idp.example.com/keys")
/// #   .client(provider)
///     .build()?;
/// keys.ready().await; // if the program wants to wait
///
/// assert!(keys.keys()?.contains(theirs.kid(), Algorithm::ES256));
/// assert_eq!(keys.status().keys.len(), 1);
/// # Ok(()) }
/// ```
///
/// # What happens when
///
/// | | |
/// |---|---|
/// | the program starts | It does not wait. Until the keys are there, [`keys`](KeySource::keys) says that they are not, and requests are answered `503`. A [copy on disk](RemoteJwksBuilder::last_good_copy) bridges an outage of the provider. |
/// | time passes | The keys are fetched anew after 75 to 90 percent of the lifetime that `Cache-Control` or `Expires` gives them, [kept between 60 seconds and 24 hours](RemoteJwksBuilder::lifetime), 10 minutes where nothing is said. A known version is asked for with its `ETag`. |
/// | a fetch fails | The keys stay. It is tried again after a second, and after pauses that double up to a minute, shorter by chance, to 5 seconds while there are no keys at all; or as long as `Retry-After` asks for, a minute at most. The keys are trusted [for 24 hours](RemoteJwksBuilder::stale_if_error) beyond their lifetime, then no longer. |
/// | a token names an unknown `kid` | If [the budget](RemoteJwksBuilder::unknown_kid_budget) allows it, the set is fetched at once, by the same task. Requests with such tokens [wait for it](RemoteJwksBuilder::unknown_kid_wait), a few seconds and a few hundred of them at most. A key that a fetch did not bring is not fetched for again for 10 seconds. |
/// | a key is withdrawn | It is not trusted any more once the set without it is fetched. |
/// | the set is empty | An outage, unless [said otherwise](RemoteJwksBuilder::revoke_on_empty_set). |
/// | a key is odd | It is left out and named in [`status`](KeySource::status); one with a private member is an error in the log besides. |
///
/// A fetch takes [5 seconds](RemoteJwksBuilder::time_limit) at most, reads 256 KiB at most, takes
/// `application/json` and `application/jwk-set+json`, and follows no redirect. URLs are `https`,
/// save for loopback addresses. Nothing of a token is in a request to the provider.
///
/// The task runs in the tokio runtime that the keys were built in, which has to have its timer on (and
/// its I/O, for [`HttpClient`](crate::HttpClient)) and to live as long as they are used. It ends with the
/// last clone. What waits for a key has to be polled in such a runtime as well.
///
/// # Figures
///
#[doc = include_str!("../../FIGURES.md")]
#[derive(Clone)]
pub struct RemoteJwks(Arc<Handle>);

struct Handle {
    state: Arc<State>,
    task: AbortHandle,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl RemoteJwks {
    /// The keys of the issuer of this name, where its metadata says: OpenID Connect Discovery 1.0, or
    /// RFC 8414 with the well-known part before or behind the issuer's path.
    ///
    /// The document has to name the issuer as it is named here, byte for byte.
    pub fn discover(issuer: impl Into<String>) -> RemoteJwksBuilder {
        RemoteJwksBuilder::new(issuer.into(), Location::Discovered)
    }

    /// The keys of the issuer of this name, at this URL.
    pub fn at(issuer: impl Into<String>, jwks_uri: impl Into<String>) -> RemoteJwksBuilder {
        RemoteJwksBuilder::new(issuer.into(), Location::Known(jwks_uri.into()))
    }

    /// The name of the issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.state.settings.issuer
    }
}

impl KeySource for RemoteJwks {
    fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable> {
        self.0.state.keys()
    }

    fn are_current(&self, keys: &Weak<KeySet>) -> Result<bool, KeysUnavailable> {
        let is = |current: &Arc<KeySet>| Arc::as_ptr(current) == keys.as_ptr();
        self.0.state.with_keys(is)
    }

    fn refresh_for(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Waiting> {
        if self.0.task.is_finished() {
            return None;
        }
        self.0.state.refresh_for(kid, algorithm)
    }

    /// Ends once there are keys. There may never be any: put a time limit around it.
    fn ready(&self) -> Waiting {
        self.0.state.ready()
    }

    fn status(&self) -> KeysStatus {
        let mut status = self.0.state.status();
        if self.0.task.is_finished()
            && let Some(fetching) = &mut status.fetching
        {
            fetching.last_error = Some(FetchFailure {
                at: fetching.next_fetch,
                message: "the task that fetches is gone, and with it its runtime".to_owned(),
            });
        }
        status
    }
}

impl fmt::Debug for RemoteJwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteJwks")
            .field("issuer", &self.0.state.settings.issuer)
            .field("status", &self.status())
            .finish()
    }
}
