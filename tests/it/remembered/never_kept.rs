//! What is refused is not remembered, neither as good nor as bad.

use super::*;
use serde_json::json;

/// A token with the signature of another.
fn with_signature_of(token: &str, other: &str) -> String {
    let (message, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    format!("{message}.{signature}")
}

#[tokio::test]
async fn tokens_that_are_refused_leave_nothing_behind() {
    let now = NOW.as_secs();
    let stranger = new_key(ALGORITHM);
    let kid = key(ALGORITHM).kid();
    let good = signed(&json!({}));
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        for token in [
            Token::of(&stranger).sign(),
            Token::of(&stranger).header("kid", kid).sign(),
            with_signature_of(&signed(&json!({"sub": "root"})), &good),
            Token::of(key(ALGORITHM)).header("alg", "none").sign(),
            Token::of(key(ALGORITHM))
                .header("crit", json!(["x"]))
                .sign(),
            signed(&json!({"exp": now - 60, "iat": null})),
            signed(&json!({"nbf": now + 61})),
            signed(&json!({"aud": "others"})),
            signed(&json!({"iss": "https://other.example.com"})),
            signed(&json!({"exp": null})),
            signed(&json!({"exp": "1"})),
            signed(&json!({"cnf": {}})),
            signed(&json!({"sub": null, "auth_type": "none"})),
            "a.b.c".to_owned(),
        ] {
            for _ in 0..2 {
                let (status, _) = gateway.ask(&token).await.unwrap_err();
                assert_eq!(status, 401);
                assert_eq!(gateway.entries(), 0, "{token}");
            }
        }
        gateway.ask(&good).await.unwrap();
        assert_eq!(gateway.entries(), 1);
    }
}

#[tokio::test]
async fn a_token_whose_key_was_unknown_is_accepted_once_the_key_is_there() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let new = new_key(ALGORITHM);
        let token = Token::of(&new).sign();
        for _ in 0..2 {
            assert_eq!(gateway.ask(&token).await.unwrap_err(), UNKNOWN_KEY);
        }
        gateway.source.exchange(&[key(ALGORITHM), &new]);
        gateway.ask(&token).await.unwrap();

        let early = signed(&json!({"nbf": NOW.as_secs() + 61}));
        let refused = gateway.ask(&early).await.unwrap_err();
        assert_eq!(refused, (401, R::NotYetValid));
        gateway.clock.set(after(NOW, 1));
        gateway.ask(&early).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_that_came_while_there_were_no_keys_is_accepted_when_there_are() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let token = signed(&json!({}));
        let keys = gateway.source.now().take();
        assert_eq!(gateway.ask(&token).await.unwrap_err(), NO_KEYS);
        *gateway.source.now() = keys;
        gateway.ask(&token).await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_token_never_takes_the_place_of_a_remembered_one() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let token = signed(&json!({}));
        gateway.ask(&token).await.unwrap();
        for forged in [
            with_signature_of(&signed(&json!({"sub": "root"})), &token),
            with_signature_of(&signed(&json!({"exp": 1, "iat": null})), &token),
            with_signature_of(&token, &signed(&json!({"sub": "root"}))),
        ] {
            gateway.ask(&forged).await.unwrap_err();
            assert_eq!(gateway.entries(), 1);
            let verified = gateway.source.verified();
            let proof = gateway.ask(&token).await.unwrap();
            assert_eq!(proof.subject(), Some("alice"));
            assert_eq!(gateway.source.verified(), verified, "it is remembered");
        }
    }
}
