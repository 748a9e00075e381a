//! What a layer asks of a request it asks each time, whether the token is remembered or not.

use super::*;
use serde_json::json;
use std::sync::atomic::AtomicBool;

#[tokio::test]
async fn a_route_that_asks_for_more_scopes_refuses_a_token_that_another_has_remembered() {
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        let token = signed(&json!({}));
        let layer = AccessTokenLayer::new(gateway.verifier.clone());
        let layer = layer.token_cache(gateway.tokens.clone());
        let all = layer.clone().require_all_scopes(["orders:read", "admin"]);
        let any = layer.require_any_scope(["admin", "root"]);
        for _ in 0..2 {
            gateway.ask(&token).await.unwrap();
            for layer in [&all, &any] {
                let behind = Echo::new();
                let service = layer.as_ref().unwrap().layer(behind.clone());
                let refused = ask(&service, &behind, get_with(&token)).await;
                assert_eq!(refused.unwrap_err(), (403, R::InsufficientScope));
            }
        }
        assert_eq!(gateway.source.verified(), 1);
    }
}

#[tokio::test]
async fn a_token_that_lacks_a_scope_is_verified_once_as_well_and_refused_each_time() {
    for known_by in BOTH {
        let gateway = Gateway::with(known_by, ALGORITHM, |layer| {
            layer.require_all_scopes(["admin"]).unwrap()
        });
        for _ in 0..3 {
            let refused = gateway.ask(&signed(&json!({}))).await;
            assert_eq!(refused.unwrap_err(), (403, R::InsufficientScope));
        }
        assert_eq!(gateway.source.verified(), 1);
    }
}

#[tokio::test]
async fn a_check_that_changes_its_mind_is_heard() {
    for known_by in BOTH {
        let allowed = Arc::new(AtomicBool::new(true));
        let asked = Arc::new(AtomicUsize::new(0));
        let check = {
            let (allowed, asked) = (Arc::clone(&allowed), Arc::clone(&asked));
            move |token: &VerifiedToken, head: &http::request::Parts| {
                assert_eq!(token.subject(), Some("alice"));
                assert_eq!(head.uri.path(), "/orders");
                asked.fetch_add(1, Ordering::Relaxed);
                match allowed.load(Ordering::Relaxed) {
                    true => Ok(()),
                    false => Err(Refusal::forbidden()),
                }
            }
        };
        let gateway = Gateway::with(known_by, ALGORITHM, |layer| layer.check(check));
        let token = signed(&json!({}));
        for (round, allow) in [true, true, false, false, true].into_iter().enumerate() {
            allowed.store(allow, Ordering::Relaxed);
            let answer = gateway.ask(&token).await.map(drop);
            let expected = if allow {
                Ok(())
            } else {
                Err((403, R::Forbidden))
            };
            assert_eq!(answer, expected);
            assert_eq!(asked.load(Ordering::Relaxed), round + 1);
        }
        assert_eq!(gateway.source.verified(), 1);
    }
}

#[tokio::test]
async fn a_token_that_is_too_long_is_refused_whatever_is_remembered() {
    let token = signed(&json!({}));
    for known_by in BOTH {
        let source = Source::of(&[key(ALGORITHM)]);
        let verifier = builder(&source, &clock()).max_token_bytes(token.len());
        let verifier = verifier.known_by(known_by).build().unwrap();
        let behind = Echo::new();
        let service = AccessTokenLayer::new(verifier).layer(behind.clone());
        let ask = async |token: &str| ask(&service, &behind, get_with(token)).await;
        for _ in 0..2 {
            ask(&token).await.unwrap();
            let refused = ask(&format!("{token}A")).await.unwrap_err();
            assert_eq!(refused, (401, R::TokenTooLong));
        }
        assert_eq!(source.verified(), 1);
    }
}

/// Requests for `/orders` whose credentials are these.
fn credentials(token: &str) -> Vec<(Vec<String>, u16, R)> {
    let malformed = |fields: &[String]| (fields.to_vec(), 400, R::MalformedRequest);
    let good = format!("Bearer {token}");
    let mut all = vec![
        malformed(&[good.clone(), good.clone()]),
        malformed(&[good.clone(), "Basic dTpw".to_owned()]),
        malformed(&["Basic dTpw".to_owned(), good.clone()]),
        malformed(&[good, String::new()]),
        (vec![format!("Basic {token}")], 401, R::MissingCredentials),
        (vec![token.to_owned()], 401, R::MissingCredentials),
    ];
    for form in [
        "Bearer TOKEN x",
        "Bearer x TOKEN",
        "Bearer TOKEN TOKEN",
        "Bearer TOKEN,",
        "Bearer TOKEN, Bearer TOKEN",
        "Bearer TOKEN;x",
        "Bearer TOKEN\t",
        "Bearer \tTOKEN",
        "Bearer \"TOKEN\"",
        "Bearer\tTOKEN",
        "Bearer:TOKEN",
        "Bearer TOKEN\u{e9}",
    ] {
        all.push(malformed(&[form.replace("TOKEN", token)]));
    }
    all
}

#[tokio::test]
async fn the_form_of_the_credentials_is_looked_at_as_if_nothing_were_remembered() {
    let token = signed(&json!({}));
    for known_by in BOTH {
        let gateway = Gateway::new(known_by);
        gateway.ask(&token).await.unwrap();
        for (fields, status, reason) in credentials(&token) {
            let mut request = get(&[]);
            for field in &fields {
                let field = http::HeaderValue::from_bytes(field.as_bytes()).unwrap();
                #[allow(clippy::disallowed_methods)] // two fields are what is tested
                request.headers_mut().append("authorization", field);
            }
            let refused = ask(&gateway.service, &gateway.behind, request).await;
            assert_eq!(refused.unwrap_err(), (status, reason), "{fields:?}");
        }
        let verified = gateway.source.verified();
        // Nor is it a matter of the token how the scheme is spelled.
        for form in ["bearer TOKEN", "BEARER   TOKEN", "Bearer TOKEN "] {
            let request = get(&[("authorization", &form.replace("TOKEN", &token))]);
            let answer = ask(&gateway.service, &gateway.behind, request).await;
            answer.unwrap();
        }
        assert_eq!(gateway.source.verified(), verified, "it is remembered");
        assert_eq!(gateway.entries(), 1);
    }
}
