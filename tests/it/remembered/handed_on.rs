//! What a remembered token is worth to the layer behind: a backend JWT is handed out for a token that is
//! valid now, and for no other.

use super::*;
use serde_json::json;
use tests::{forge::claims_of, keys::ring};
use tower::ServiceBuilder;
use tower_backend_jwt::{BackendJwt, BackendJwtLayer};

struct Chain {
    service: AccessToken<BackendJwt<Echo>>,
    behind: Echo,
    gateway: Gateway,
}

impl Chain {
    fn new(known_by: KnownBy) -> Self {
        let gateway = Gateway::new(known_by);
        let behind = Echo::new();
        let access = AccessTokenLayer::new(gateway.verifier.clone());
        Self {
            service: ServiceBuilder::new()
                .layer(access.token_cache(gateway.tokens.clone()))
                .layer(BackendJwtLayer::new(ring(ALGORITHM)).clock(gateway.clock.clone()))
                .service(behind.clone()),
            behind,
            gateway,
        }
    }

    /// The backend JWT for this token, or why there is none.
    async fn ask(&self, token: &str) -> Result<String, (u16, R)> {
        let heard = self.behind.count();
        let answer = send(&self.service, get_with(token)).await;
        if answer.status() == 200 {
            return Ok(self.behind.field("x-jwt-assertion").unwrap());
        }
        assert_eq!(self.behind.count(), heard);
        Err((answer.status().as_u16(), reason(&answer)))
    }
}

#[tokio::test]
async fn each_token_has_its_own_backend_jwt_and_keeps_it() {
    for known_by in BOTH {
        let chain = Chain::new(known_by);
        let (alice, bob) = (signed(&json!({})), signed(&json!({"sub": "bob"})));
        let (for_alice, for_bob) = (chain.ask(&alice).await, chain.ask(&bob).await);
        for _ in 0..2 {
            assert_eq!(chain.ask(&alice).await, for_alice);
            assert_eq!(chain.ask(&bob).await, for_bob);
        }
        assert_eq!(claims_of(&for_alice.unwrap())["sub"], "alice");
        assert_eq!(claims_of(&for_bob.unwrap())["sub"], "bob");
        // It is for the token, and not for the time that this is remembered.
        let before = chain.ask(&alice).await;
        chain.gateway.tokens.clear();
        assert_eq!(chain.ask(&alice).await, before);
    }
}

#[tokio::test]
async fn none_is_handed_out_for_a_token_that_is_revoked() {
    for known_by in BOTH {
        let chain = Chain::new(known_by);
        let token = signed(&json!({}));
        chain.ask(&token).await.unwrap();
        let proof = chain.gateway.verifier.verify(&token).unwrap();
        chain.gateway.revocations.revoke(&proof).unwrap();
        assert_eq!(chain.ask(&token).await, Err(REVOKED));
    }
}

#[tokio::test]
async fn none_is_handed_out_from_the_tokens_end_on_though_leeway_lets_that_live() {
    for known_by in BOTH {
        let chain = Chain::new(known_by);
        let token = signed(&json!({}));
        let jwt = chain.ask(&token).await;
        chain.gateway.clock.set(after(NOW, 599));
        assert_eq!(chain.ask(&token).await, jwt);
        chain.gateway.clock.set(after(NOW, 600));
        assert_eq!(chain.ask(&token).await, Err((401, R::Expired)));
        assert!(chain.gateway.verifier.verify(&token).is_ok());
        chain.gateway.clock.set(after(NOW, 660));
        assert_eq!(chain.ask(&token).await, Err((401, R::Expired)));
    }
}

#[tokio::test]
async fn none_is_handed_out_for_a_token_whose_key_is_withdrawn_or_not_to_be_had() {
    for known_by in BOTH {
        let chain = Chain::new(known_by);
        let token = signed(&json!({}));
        let jwt = chain.ask(&token).await;
        let keys = chain.gateway.source.now().take();
        assert_eq!(chain.ask(&token).await, Err(NO_KEYS));
        *chain.gateway.source.now() = keys;
        assert_eq!(chain.ask(&token).await, jwt);
        chain.gateway.source.exchange(&[&new_key(ALGORITHM)]);
        assert_eq!(chain.ask(&token).await, Err(UNKNOWN_KEY));
    }
}
