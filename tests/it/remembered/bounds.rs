//! What is remembered has bounds, and so has what is not.

use super::*;
use serde_json::json;

fn many(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| signed(&json!({"sub": format!("user {number}")})))
}

/// A gateway that remembers within these bounds.
fn bounded(known_by: KnownBy, entries: usize, bytes: u64) -> (Gateway, TokenCache) {
    let tokens = TokenCache::new(entries, bytes);
    let own = tokens.clone();
    let gateway = Gateway::with(known_by, ALGORITHM, |layer| layer.token_cache(own));
    (gateway, tokens)
}

#[tokio::test]
async fn no_more_tokens_are_remembered_than_there_should_be() {
    for known_by in BOTH {
        let (gateway, tokens) = bounded(known_by, 4, 1 << 20);
        let mut fullest = 0;
        for token in many(64) {
            gateway.ask(&token).await.unwrap();
            let status = tokens.status();
            assert!(status.entries <= 4 && status.bytes <= 1 << 20, "{status:?}");
            fullest = fullest.max(status.entries);
        }
        assert!(fullest >= 2, "some are");
    }
}

#[tokio::test]
async fn no_more_bytes_are_remembered_than_there_should_be() {
    const BYTES: u64 = 20_000;
    for known_by in BOTH {
        let (gateway, tokens) = bounded(known_by, 1000, BYTES);
        let mut fullest = 0;
        for token in many(64) {
            gateway.ask(&token).await.unwrap();
            let status = tokens.status();
            assert!(status.bytes <= BYTES, "{status:?}");
            // Each takes what its text and its claims do, at least.
            let least = status.entries * forge::claims().to_string().len();
            assert!(status.bytes >= least as u64, "{status:?}");
            fullest = fullest.max(status.entries);
        }
        assert!((2..64).contains(&fullest), "{fullest}");
    }
}

#[tokio::test]
async fn a_header_that_no_other_token_has_takes_room_too() {
    for known_by in BOTH {
        let weight = async |bytes: usize| {
            let (gateway, tokens) = bounded(known_by, 1000, 1 << 20);
            let header = "x".repeat(bytes);
            let token = Token::of(key(ALGORITHM)).header("x", header).sign();
            gateway.ask(&token).await.unwrap();
            tokens.status().bytes
        };
        for bytes in [700, 6000] {
            assert!(weight(bytes).await >= weight(0).await + bytes as u64);
        }
    }
}

#[tokio::test]
async fn a_token_that_is_too_large_to_be_remembered_is_accepted_each_time() {
    for known_by in BOTH {
        let (gateway, tokens) = bounded(known_by, 10, 4000);
        let large = signed(&json!({"x": "x".repeat(4000)}));
        for round in 1..4 {
            gateway.ask(&large).await.unwrap();
            assert_eq!(gateway.source.verified(), round);
            assert_eq!(tokens.status().entries, 0);
        }
        let small = signed(&json!({}));
        gateway.ask(&small).await.unwrap();
        gateway.ask(&small).await.unwrap();
        assert_eq!((gateway.source.verified(), tokens.status().entries), (4, 1));
    }
}

#[tokio::test]
async fn what_is_known_by_its_hash_takes_less_room() {
    let weight = async |known_by| {
        let (gateway, tokens) = bounded(known_by, 1000, 1 << 20);
        gateway
            .ask(&signed(&json!({"x": "x".repeat(3000)})))
            .await
            .unwrap();
        tokens.status().bytes
    };
    let (text, hash) = (weight(KnownBy::Text).await, weight(KnownBy::Sha256).await);
    assert!(hash + 4000 < text, "{hash} {text}");
}

#[tokio::test]
async fn a_flood_of_forged_tokens_drives_nothing_out() {
    for known_by in BOTH {
        let (gateway, tokens) = bounded(known_by, 2, 1 << 20);
        let token = signed(&json!({}));
        gateway.ask(&token).await.unwrap();
        let (message, _) = token.rsplit_once('.').unwrap();
        for number in 0..500 {
            let forged = format!("{message}.{}", forge::encode([number as u8; 64]));
            gateway.ask(&forged).await.unwrap_err();
        }
        let verified = gateway.source.verified();
        gateway.ask(&token).await.unwrap();
        assert_eq!(gateway.source.verified(), verified, "it is remembered");
        assert_eq!(tokens.status().entries, 1);
    }
}
