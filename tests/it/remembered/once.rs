//! A token is verified once, and the service behind cannot tell.

use super::*;
use serde_json::json;

#[tokio::test]
async fn a_token_is_verified_once_however_often_it_comes() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let (alice, bob) = (signed(&json!({})), signed(&json!({"sub": "bob"})));
        for round in 0..5 {
            for (token, subject) in [(&alice, "alice"), (&bob, "bob")] {
                let verified = gateway.ask(token).await.unwrap();
                assert_eq!(verified.subject(), Some(subject), "{round}");
            }
        }
        assert_eq!(gateway.source.verified(), 2);
        let status = gateway.tokens.status();
        assert_eq!((status.entries, status.misses), (2, 2));
    }
}

#[tokio::test]
async fn what_is_handed_on_of_a_remembered_token_is_what_was_verified() {
    let text = r#"{ "iss":"https://idp.example.com","aud":["orders","x"],"sub":"al\u0069ce",
        "exp":1770092106,"iat":1770091506,"nbf":1770091500,"jti":"j","client_id":"shop","n":1.50,
        "scope":"a b","o":{"k":[true,null,"é"]} }"#;
    let key = key(ALGORITHM);
    let token = Token::of(key).claims_text(text).sign();
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let first = forge::verifier(key).verify(&token).unwrap();
        for _ in 0..3 {
            let proof = gateway.ask(&token).await.unwrap();
            assert_eq!(proof.claims_json(), text);
            assert_eq!(proof.subject(), Some("alice"));
            assert_eq!(proof.claim_json("n"), Some("1.50"));
            assert_eq!(proof.claim_json("o"), first.claim_json("o"));
            assert!(proof.scopes().eq(["a", "b"]) && proof.audiences().eq(["orders", "x"]));
            let rest = |token: &VerifiedToken| {
                (
                    token.issuer().to_owned(),
                    token.client_id().map(str::to_owned),
                    token.jti().map(str::to_owned),
                    token.kid().map(str::to_owned),
                    (token.expires_at(), token.issued_at(), token.not_before()),
                    token.algorithm(),
                )
            };
            assert_eq!(rest(&proof), rest(&first));
        }
        assert_eq!(gateway.source.verified(), 1);
    }
}

#[tokio::test]
async fn the_credentials_are_removed_with_a_remembered_token_too() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        for _ in 0..3 {
            gateway.ask(&signed(&json!({}))).await.unwrap();
            assert_eq!(gateway.behind.field("authorization"), None);
        }
    }
}

#[tokio::test]
async fn clones_of_a_layer_and_its_services_remember_together() {
    let source = Source::of(&[key(ALGORITHM)]);
    let verifier = builder(&source, &clock()).build().unwrap();
    let layer = AccessTokenLayer::new(verifier);
    let token = signed(&json!({}));
    for layer in [layer.clone(), layer.clone().optional(), layer] {
        for _ in 0..2 {
            let behind = Echo::new();
            let service = layer.layer(behind.clone());
            ask(&service, &behind, get_with(&token)).await.unwrap();
            let clone = service.clone();
            ask(&clone, &behind, get_with(&token)).await.unwrap();
        }
    }
    assert_eq!(source.verified(), 1);
}

/// Says nothing but what its keys are: the rest is as the trait has it.
struct Plain(Source);

impl KeySource for Plain {
    fn keys(&self) -> Result<Arc<KeySet>, KeysUnavailable> {
        self.0.keys()
    }
}

#[tokio::test]
async fn a_source_that_only_hands_out_its_keys_is_asked_once_for_a_remembered_token() {
    let source = Source::of(&[key(ALGORITHM)]);
    let issuer = Issuer::from_source(ISSUER, Plain(source.clone())).audience(AUDIENCE);
    let behind = Echo::new();
    let service = AccessTokenLayer::new(forge::verifier_of(issuer.build().unwrap()));
    let service = service.layer(behind.clone());
    let token = signed(&json!({}));
    let ask = async || ask(&service, &behind, get_with(&token)).await;

    ask().await.unwrap();
    assert_eq!(source.verified(), 1);
    ask().await.unwrap();
    assert_eq!(source.verified(), 2, "whether they are the same");
    source.exchange(&[key(ALGORITHM)]);
    ask().await.unwrap();
    assert_eq!(source.verified(), 4, "that, and to verify it");
    *source.now() = None;
    assert_eq!(ask().await.unwrap_err(), NO_KEYS);
}

#[tokio::test]
async fn without_room_and_without_a_cache_each_token_is_verified_anew() {
    for change in [
        |layer: AccessTokenLayer| layer.no_cache(),
        |layer: AccessTokenLayer| layer.cache(0, 0),
        |layer: AccessTokenLayer| layer.cache(0, 1 << 20),
        |layer: AccessTokenLayer| layer.cache(1000, 0),
    ] {
        for known_by in BOTH {
            let gateway = Gateway::with(known_by, ALGORITHM, change);
            for round in 1..4 {
                gateway.ask(&signed(&json!({}))).await.unwrap();
                assert_eq!(gateway.source.verified(), round);
            }
        }
    }
}
