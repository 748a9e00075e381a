//! One memory for several layers: each token counts only for the verifier that has verified it.

use super::*;
use serde_json::json;
use tower_backend_jwt::IssuerBuilder;

/// A layer over a service, that remembers there.
struct Side {
    service: AccessToken<Echo>,
    behind: Echo,
}

impl Side {
    fn new(verifier: &Verifier, tokens: &TokenCache) -> Self {
        let behind = Echo::new();
        let layer = AccessTokenLayer::new(verifier.clone()).token_cache(tokens.clone());
        Self {
            service: layer.layer(behind.clone()),
            behind,
        }
    }

    async fn ask(&self, token: &str) -> Result<VerifiedToken, (u16, R)> {
        ask(&self.service, &self.behind, get_with(token)).await
    }
}

fn verifier(
    source: &Source,
    known_by: KnownBy,
    issuer: impl FnOnce(IssuerBuilder) -> IssuerBuilder,
) -> Verifier {
    let issuer = issuer(Issuer::from_source(ISSUER, source.clone())).build();
    let verifier = Verifier::builder().issuer(issuer.unwrap()).clock(clock());
    verifier.known_by(known_by).build().unwrap()
}

#[tokio::test]
async fn a_token_for_one_audience_does_not_pass_where_another_is_asked_for() {
    for known_by in BOTH {
        let (source, tokens) = (Source::of(&[key(ALGORITHM)]), TokenCache::default());
        let side = |audience: &str| {
            let verifier = verifier(&source, known_by, |issuer| issuer.audience(audience));
            Side::new(&verifier, &tokens)
        };
        let (orders, stock) = (side("orders"), side("stock"));
        for (token, takes, refuses) in [
            (signed(&json!({})), &orders, &stock),
            (signed(&json!({"aud": "stock"})), &stock, &orders),
        ] {
            for _ in 0..3 {
                takes.ask(&token).await.unwrap();
                let refused = refuses.ask(&token).await.unwrap_err();
                assert_eq!(refused, (401, R::WrongAudience));
            }
        }
        assert_eq!(tokens.status().entries, 2);
        // For both, it is two.
        let both = signed(&json!({"aud": ["orders", "stock"]}));
        for side in [&orders, &stock, &orders, &stock] {
            side.ask(&both).await.unwrap();
        }
        assert_eq!(tokens.status().entries, 4);
    }
}

#[tokio::test]
async fn each_verifier_reads_a_token_by_its_own_mapping() {
    for known_by in BOTH {
        let (source, tokens) = (Source::of(&[key(ALGORITHM)]), TokenCache::default());
        let plain = verifier(&source, known_by, |issuer| issuer.audience(AUDIENCE));
        let mapped = verifier(&source, known_by, |issuer| {
            issuer.audience(AUDIENCE).map_claim("user", "sub")
        });
        let (plain, mapped) = (Side::new(&plain, &tokens), Side::new(&mapped, &tokens));
        let token = signed(&json!({"user": "bob"}));
        for _ in 0..3 {
            let proof = plain.ask(&token).await.unwrap();
            assert_eq!(proof.subject(), Some("alice"));
            let proof = mapped.ask(&token).await.unwrap();
            assert_eq!(proof.subject(), Some("bob"));
        }
        assert_eq!(source.verified(), 2);
    }
}

#[tokio::test]
async fn verifiers_of_one_issuer_keep_their_own_leeway_length_and_revocations() {
    for known_by in BOTH {
        let (source, tokens) = (Source::of(&[key(ALGORITHM)]), TokenCache::default());
        let issuer = Issuer::from_source(ISSUER, source.clone()).audience(AUDIENCE);
        let issuer = issuer.build().unwrap();
        let verifier = || {
            let verifier = Verifier::builder().issuer(issuer.clone());
            verifier.clock(clock()).known_by(known_by)
        };
        let token = signed(&json!({"exp": NOW.as_secs() - 30, "iat": null}));
        let revocations = Revocations::new(1);
        revocations.revoke_id(ISSUER, "6b0f1f0c", NOW).unwrap();
        let lax = Side::new(&verifier().build().unwrap(), &tokens);
        let others = [
            (verifier().leeway(Duration::ZERO), R::Expired),
            (verifier().max_token_bytes(token.len() - 1), R::TokenTooLong),
            (verifier().revocations(revocations), R::Revoked),
        ];
        let others = others.map(|(verifier, reason)| {
            let side = Side::new(&verifier.build().unwrap(), &tokens);
            (side, reason)
        });
        for _ in 0..2 {
            lax.ask(&token).await.unwrap();
            for (side, reason) in &others {
                let (_, refused) = side.ask(&token).await.unwrap_err();
                assert_eq!(refused, *reason);
            }
        }
        assert_eq!(tokens.status().entries, 1);
    }
}

#[tokio::test]
async fn clones_of_one_verifier_verify_a_token_once() {
    for known_by in BOTH {
        let (source, tokens) = (Source::of(&[key(ALGORITHM)]), TokenCache::default());
        let one = verifier(&source, known_by, |issuer| issuer.audience(AUDIENCE));
        let sides = [Side::new(&one, &tokens), Side::new(&one.clone(), &tokens)];
        let token = signed(&json!({}));
        for _ in 0..2 {
            for side in &sides {
                side.ask(&token).await.unwrap();
            }
        }
        assert_eq!(source.verified(), 1);
        // With memories of their own they verify it each.
        let apart = Side::new(&one, &TokenCache::default());
        apart.ask(&token).await.unwrap();
        assert_eq!(source.verified(), 2);
    }
}

#[tokio::test]
async fn who_knows_tokens_by_text_and_who_by_hash_share_a_memory_and_no_token() {
    let (source, tokens) = (Source::of(&[key(ALGORITHM)]), TokenCache::default());
    let sides = BOTH.map(|known_by| {
        let verifier = verifier(&source, known_by, |issuer| issuer.audience(AUDIENCE));
        Side::new(&verifier, &tokens)
    });
    let token = signed(&json!({}));
    for _ in 0..2 {
        for side in &sides {
            side.ask(&token).await.unwrap();
        }
    }
    assert_eq!((source.verified(), tokens.status().entries), (2, 2));
}
