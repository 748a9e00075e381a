//! The gateway's keys, fetched once.

use crate::say;
use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::{
    error::Error,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::time;
use tower_jwks::{Algorithm, JwkSet, KeySet, KeySource, KeysUnavailable};

/// The gateway's keys, once they are there.
#[derive(Clone, Default)]
pub(crate) struct GatewayKeys(Arc<OnceLock<Arc<KeySet>>>);

/// Asked for each token. As long as there are no keys, requests are answered 503.
impl KeySource for GatewayKeys {
    fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable> {
        self.0.get().cloned().ok_or_else(|| {
            KeysUnavailable::new("the gateway's keys were not fetched yet")
                .with_retry_after(Duration::from_secs(1))
        })
    }
}

impl GatewayKeys {
    /// Tries until they are there: a gateway may well start after the services behind it.
    pub(crate) async fn fetch(&self, url: &Uri) {
        let mut pause = Duration::from_millis(250);
        let mut told = String::new();
        let keys = loop {
            let error = match fetch(url).await {
                Ok(keys) => break keys,
                Err(error) => root(&*error).to_string(),
            };
            if error != told {
                say(&format!(
                    "Waiting for the gateway's keys, and answering 503 until then. {url}: {error}"
                ));
                told = error;
            }
            time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        };
        for left_out in keys.left_out() {
            say(&format!("Warning: not used: {left_out}"));
        }
        // This is the only place that sets them.
        let _ = self.0.set(Arc::new(keys));
        say(&format!("The gateway's keys are here, from {url}."));
    }
}

async fn fetch(url: &Uri) -> Result<KeySet, Box<dyn Error + Send + Sync>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    let exchange = async {
        let response = client.get(url.clone()).await?;
        let status = response.status();
        if !status.is_success() {
            return Err(format!("the answer is {status}").into());
        }
        let body = Limited::new(response.into_body(), JwkSet::MAX_BYTES);
        let keys = KeySet::new(
            &JwkSet::parse(body.collect().await?.to_bytes())?,
            Algorithm::ALL,
        );
        if keys.is_empty() {
            return Err("there is no key in it that can be used".into());
        }
        Ok(keys)
    };
    time::timeout(Duration::from_secs(5), exchange).await?
}

/// The cause that says something: the client's own error is no more than "client error".
fn root<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    error.source().map_or(error, root)
}
