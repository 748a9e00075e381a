//! A remembered token is worth what its issuer's keys are.

use super::*;
use serde_json::json;
use tower_jwks::Waiting;

#[tokio::test]
async fn with_its_key_withdrawn_a_token_is_refused_at_once() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let token = signed(&json!({}));
        gateway.ask(&token).await.unwrap();
        gateway.source.exchange(&[&new_key(ALGORITHM)]);
        for _ in 0..2 {
            assert_eq!(gateway.ask(&token).await.unwrap_err(), UNKNOWN_KEY);
        }
        gateway.source.exchange(&[]);
        assert_eq!(gateway.ask(&token).await.unwrap_err(), UNKNOWN_KEY);
        // It is back, in a set of its own.
        gateway.source.exchange(&[key(ALGORITHM)]);
        let verified = gateway.source.verified();
        gateway.ask(&token).await.unwrap();
        gateway.ask(&token).await.unwrap();
        assert_eq!(gateway.source.verified(), verified + 1);
    }
}

#[tokio::test]
async fn another_key_of_the_same_name_does_not_vouch_for_it() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        // By no name, each key of the algorithm is tried.
        let token = Token::of(key(ALGORITHM)).without_header("kid").sign();
        gateway.ask(&token).await.unwrap();
        gateway.source.exchange(&[&new_key(ALGORITHM)]);
        let refused = gateway.ask(&token).await.unwrap_err();
        assert_eq!(refused, (401, R::InvalidSignature));
    }
}

#[tokio::test]
async fn with_its_key_in_another_set_a_token_is_verified_anew_once() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let token = signed(&json!({}));
        gateway.ask(&token).await.unwrap();
        gateway
            .source
            .exchange(&[&new_key(ALGORITHM), key(ALGORITHM)]);
        for _ in 0..3 {
            gateway.ask(&token).await.unwrap();
        }
        assert_eq!(gateway.source.verified(), 2);
        assert_eq!(gateway.entries(), 1, "in the place of the one before");
    }
}

#[tokio::test]
async fn keys_that_are_not_to_be_had_are_503_and_the_token_is_not_forgotten() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let token = signed(&json!({}));
        gateway.ask(&token).await.unwrap();
        let keys = gateway.source.now().take();
        for _ in 0..2 {
            assert_eq!(gateway.ask(&token).await.unwrap_err(), NO_KEYS);
        }
        *gateway.source.now() = keys;
        gateway.ask(&token).await.unwrap();
        assert_eq!(gateway.source.verified(), 1);

        // Those that come back may be others.
        *gateway.source.now() = None;
        assert_eq!(gateway.ask(&token).await.unwrap_err(), NO_KEYS);
        gateway.source.exchange(&[&new_key(ALGORITHM)]);
        assert_eq!(gateway.ask(&token).await.unwrap_err(), UNKNOWN_KEY);
    }
}

#[tokio::test]
async fn a_set_that_is_withdrawn_leaves_the_memory_though_its_tokens_are_remembered() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        gateway.ask(&signed(&json!({}))).await.unwrap();
        let keys = Arc::downgrade(gateway.source.now().as_ref().unwrap());
        assert!(keys.upgrade().is_some());
        gateway.source.exchange(&[key(ALGORITHM)]);
        assert!(keys.upgrade().is_none());
    }
}

/// Has its keys when a token has asked for one of them.
struct Fetching(Source);

impl KeySource for Fetching {
    fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable> {
        self.0.keys()
    }

    fn are_current(&self, keys: &Weak<KeySet>) -> Result<bool, KeysUnavailable> {
        self.0.are_current(keys)
    }

    fn refresh_for(&self, _: Option<&str>, _: Algorithm) -> Option<Waiting> {
        self.0.exchange(&[key(ALGORITHM)]);
        Some(Waiting::new(tokio::task::yield_now()))
    }
}

#[tokio::test]
async fn a_token_that_has_waited_for_its_key_is_remembered() {
    for known_by in BOTH {
        let source = Source::of(&[]);
        let issuer = Issuer::from_source(ISSUER, Fetching(source.clone())).audience(AUDIENCE);
        let verifier = Verifier::builder()
            .issuer(issuer.build().unwrap())
            .known_by(known_by)
            .clock(clock());
        let behind = Echo::new();
        let service = AccessTokenLayer::new(verifier.build().unwrap()).layer(behind.clone());
        let token = signed(&json!({}));
        for _ in 0..3 {
            ask(&service, &behind, get_with(&token)).await.unwrap();
        }
        assert_eq!(source.verified(), 2, "without its key, and with it");
    }
}
