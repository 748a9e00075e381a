//! Does a key that cannot be used spoil those that can? Providers publish keys for other purposes.

use crate::{
    peer::{Peer, Setup},
    provider::Provider,
    token::{SigningKey, jwks},
    trial::name,
};
use http::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

const TIME_TO_START: Duration = Duration::from_secs(3);

pub(crate) async fn row<P: Peer>() -> Result<String, String> {
    let good = SigningKey::generate("first");
    let mut without_kid = SigningKey::generate("odd").jwk();
    without_kid
        .as_object_mut()
        .expect("a JWK is an object")
        .remove("kid");
    // The numbers of the curve's generator.
    let curve = json!({
        "kty": "EC", "crv": "secp256k1", "kid": "odd", "use": "sig", "alg": "ES256K",
        "x": "eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g",
        "y": "SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg",
    });
    let kind = json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "odd", "use": "sig", "pub": "AA" });
    let mut cells = Vec::new();
    for odd in [kind, curve, without_kid] {
        cells.push(beside::<P>(&good, odd).await);
    }
    Ok(cells.join(", "))
}

async fn beside<P: Peer>(good: &SigningKey, odd: Value) -> String {
    let provider = Provider::start(jwks(&[good.jwk(), odd])).await;
    let Ok(peer) = P::start(&provider, Setup::Fresh).await else {
        return "does not start".to_owned();
    };
    let token = good.token(provider.url());
    let started = Instant::now();
    loop {
        let status = timeout(TIME_TO_START, peer.send(&token)).await.ok();
        if status == Some(StatusCode::OK) || started.elapsed() > TIME_TO_START {
            return name(status);
        }
        sleep(Duration::from_millis(100)).await;
    }
}
