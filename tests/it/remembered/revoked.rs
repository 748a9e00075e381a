//! A token that is revoked, or forgotten, is not remembered.

use super::*;
use serde_json::json;

#[tokio::test]
async fn a_token_that_is_revoked_is_refused_from_then_on_by_its_id() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let (token, other) = (signed(&json!({})), signed(&json!({"jti": "other"})));
        let proof = gateway.ask(&token).await.unwrap();
        gateway.ask(&other).await.unwrap();
        gateway.revocations.revoke(&proof).unwrap();
        for _ in 0..2 {
            assert_eq!(gateway.ask(&token).await.unwrap_err(), REVOKED);
        }
        let refused = gateway.verifier.verify(&token).unwrap_err();
        assert_eq!(refused.reason(), R::Revoked);
        gateway.ask(&other).await.unwrap();
        // It stays, so that it is refused for less than a signature.
        assert_eq!((gateway.entries(), gateway.source.verified()), (2, 3));

        let by_name = |issuer, jti| {
            let expires_at = after(NOW, 600);
            gateway.revocations.revoke_id(issuer, jti, expires_at)
        };
        by_name("https://other.example.com", "other").unwrap();
        by_name(ISSUER, "Other").unwrap();
        gateway.ask(&other).await.unwrap();
        by_name(ISSUER, "other").unwrap();
        assert_eq!(gateway.ask(&other).await.unwrap_err(), REVOKED);
    }
}

#[tokio::test]
async fn a_token_that_was_never_seen_is_refused_if_it_is_revoked() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let expires_at = after(NOW, 600);
        let token = signed(&json!({"jti": "r\u{e9}voked"}));
        gateway
            .revocations
            .revoke_id(ISSUER, "révoked", expires_at)
            .unwrap();
        assert_eq!(gateway.ask(&token).await.unwrap_err(), REVOKED);
        assert_eq!(gateway.entries(), 0);
    }
}

#[tokio::test]
async fn all_tokens_about_one_are_revoked_that_were_issued_before_a_time() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let now = NOW.as_secs();
        let issued_at = |iat: serde_json::Value| signed(&json!({"iat": iat}));
        let old = [issued_at(json!(now - 1)), issued_at(json!(null))];
        let kept = [
            issued_at(json!(now)),
            issued_at(json!(now + 1)),
            signed(&json!({"iat": now - 1, "sub": "bob"})),
            signed(&json!({"iat": now - 1, "sub": null})),
        ];
        for token in old.iter().chain(&kept) {
            gateway.ask(token).await.unwrap();
        }
        let revoke = |issuer, subject, before| {
            let life = Duration::from_secs(600);
            let revocations = &gateway.revocations;
            revocations
                .revoke_subject(issuer, subject, before, life)
                .unwrap();
        };
        revoke("https://other.example.com", "alice", after(NOW, 100));
        revoke(ISSUER, "Alice", after(NOW, 100));
        gateway.ask(&old[0]).await.unwrap();
        revoke(ISSUER, "alice", NOW);
        // A revocation that names an earlier time takes nothing back.
        revoke(
            ISSUER,
            "alice",
            NOW.saturating_sub(Duration::from_secs(100)),
        );
        for token in &old {
            assert_eq!(gateway.ask(token).await.unwrap_err(), REVOKED);
        }
        for token in &kept {
            gateway.ask(token).await.unwrap();
        }
        revoke(ISSUER, "alice", after(NOW, 1));
        assert_eq!(gateway.ask(&kept[0]).await.unwrap_err(), REVOKED);
        gateway.ask(&kept[1]).await.unwrap();
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_for_as_long_as_leeway_lets_it_live() {
    let gateway = Gateway::new(KnownBy::Text);
    let token = signed(&json!({}));
    let proof = gateway.ask(&token).await.unwrap();
    gateway.revocations.revoke(&proof).unwrap();
    gateway.clock.set(after(NOW, 600 + 59));
    assert_eq!(gateway.ask(&token).await.unwrap_err(), REVOKED);
}

#[tokio::test]
async fn what_is_forgotten_is_verified_anew() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let token = signed(&json!({}));
        gateway.ask(&token).await.unwrap();
        gateway.tokens.clear();
        assert_eq!((gateway.entries(), gateway.tokens.status().bytes), (0, 0));
        gateway.ask(&token).await.unwrap();
        gateway.ask(&token).await.unwrap();
        assert_eq!((gateway.source.verified(), gateway.entries()), (2, 1));
    }
}
