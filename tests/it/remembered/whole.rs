//! A token is remembered by all of its text, and by nothing less or else.

use super::*;
use serde_json::json;

/// Each of the texts is refused, and the token that is remembered stays so.
async fn are_all_refused(gateway: &Gateway, token: &str, others: impl IntoIterator<Item = String>) {
    gateway.ask(token).await.unwrap();
    let verified = gateway.source.verified();
    let mut tried = 0;
    for other in others {
        assert_ne!(other, token);
        let (status, reason) = gateway.ask(&other).await.unwrap_err();
        assert_eq!(status, 401, "{reason:?}: {other}");
        tried += 1;
    }
    assert!(tried > 0);
    assert_eq!(gateway.entries(), 1);
    assert!(gateway.source.verified() <= verified + tried);
    let verified = gateway.source.verified();
    gateway.ask(token).await.unwrap();
    assert_eq!(gateway.source.verified(), verified, "it is remembered");
}

#[tokio::test]
async fn a_token_that_differs_in_one_byte_is_another_wherever_that_is() {
    let token = signed(&json!({}));
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let others = (0..token.len()).flat_map(|place| {
            let (before, rest) = token.split_at(place);
            // A bit of the byte, a byte gone, a byte more.
            let flipped = char::from(rest.as_bytes()[0] ^ 1);
            [
                format!("{before}{flipped}{}", &rest[1..]),
                format!("{before}{}", &rest[1..]),
                format!("{before}A{rest}"),
            ]
        });
        let sent = others.filter(|other| !other.contains([',', ' ', '"', ';']));
        are_all_refused(&gateway, &token, sent).await;
    }
}

#[tokio::test]
async fn a_part_of_a_remembered_token_is_none_nor_is_one_around_it() {
    let token = signed(&json!({}));
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let parts = (1..token.len()).flat_map(|place| {
            let (prefix, suffix) = token.split_at(place);
            [prefix.to_owned(), suffix.to_owned()]
        });
        let around = [
            format!("{token}."),
            format!(".{token}"),
            format!("{token}A"),
            format!("{token}="),
            format!("{token}{token}"),
            format!("{token}.{token}"),
            // The last 64 bytes alone, and behind other things.
            token[token.len() - 64..].to_owned(),
            format!(
                "{}{}",
                "A".repeat(token.len() - 64),
                &token[token.len() - 64..]
            ),
        ];
        are_all_refused(&gateway, &token, parts.chain(around)).await;
    }
}

#[tokio::test]
async fn upper_and_lower_case_are_not_the_same() {
    let token = signed(&json!({}));
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let others = [token.to_uppercase(), token.to_lowercase()];
        are_all_refused(&gateway, &token, others).await;
    }
}

#[tokio::test]
async fn each_part_counts_with_the_others_of_another_token_too() {
    let (one, two) = (signed(&json!({})), signed(&json!({"sub": "root"})));
    let parts = |token: &str| -> [String; 3] {
        let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        parts.try_into().unwrap()
    };
    let ([header, one_claims, one_signature], [_, two_claims, two_signature]) =
        (parts(&one), parts(&two));
    let other_header = forge::encode(
        json!({"typ": "JWT", "alg": ALGORITHM, "kid": key(ALGORITHM).kid()}).to_string(),
    );
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        gateway.ask(&two).await.unwrap();
        gateway.tokens.clear();
        let others = [
            format!("{header}.{two_claims}.{one_signature}"),
            format!("{header}.{one_claims}.{two_signature}"),
            format!("{other_header}.{one_claims}.{one_signature}"),
            format!("{header}.{one_claims}."),
            format!("{header}..{one_signature}"),
            format!(".{one_claims}.{one_signature}"),
        ];
        are_all_refused(&gateway, &one, others).await;
    }
}

/// `n - s`, where `n` is the order of P-256 (FIPS 186-4, D.1.2.3): with it in the place of `s` a signature
/// holds as before.
fn other_s(s: &[u8]) -> Vec<u8> {
    const N: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63,
        0x25, 0x51,
    ];
    let mut difference = vec![0; 32];
    let mut borrow = 0;
    for place in (0..32).rev() {
        let digit = i16::from(N[place]) - i16::from(s[place]) - borrow;
        borrow = i16::from(digit < 0);
        difference[place] = u8::try_from(digit + 256 * borrow).unwrap();
    }
    assert_eq!(borrow, 0);
    difference
}

#[tokio::test]
async fn the_other_form_of_an_ecdsa_signature_is_another_token_with_the_same_id() {
    for known_by in BOTH {
        let gateway = Gateway::with(known_by, Algorithm::ES256, |layer| layer);
        let token = Token::of(key(Algorithm::ES256)).sign();
        let (message, signature) = token.rsplit_once('.').unwrap();
        let signature = forge::decode(signature);
        let (r, s) = signature.split_at(32);
        let other = format!("{message}.{}", forge::encode([r, &other_s(s)].concat()));
        assert_ne!(other, token);
        for token in [&token, &other, &token, &other] {
            gateway.ask(token).await.unwrap();
        }
        assert_eq!((gateway.source.verified(), gateway.entries()), (2, 2));

        let proof = gateway.ask(&token).await.unwrap();
        gateway.revocations.revoke(&proof).unwrap();
        for token in [&token, &other] {
            assert_eq!(gateway.ask(token).await.unwrap_err(), REVOKED);
        }
    }
}
