//! What an operator can see.

use super::*;
use serde_json::{Value, json};
use tests::capture::Capture;

#[tokio::test(start_paused = true)]
async fn the_state_tells_keys_age_errors_and_what_comes_next() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.behave(Behavior::Down);
    let keys = provider.at(&clock).build().unwrap();
    let issuer = Issuer::from_source(ISSUER, keys)
        .audience(AUDIENCE)
        .build()
        .unwrap();
    sleep(SECOND / 4).await;
    let status = serde_json::to_value(issuer.status()).unwrap();
    assert_eq!(
        status,
        json!({
            "ready": false,
            "keys": [],
            "left_out": [],
            "jwks_uri": provider::JWKS_URI,
            "next_fetch": status["next_fetch"],
            "fetches": 1,
            "failures": 1,
            "last_error": {
                "at": NOW.as_secs(),
                "message": format!("{}: connection refused", provider::JWKS_URI),
            },
            "budget_left": 4,
        })
    );

    provider.behave(Behavior::Serves(""));
    let odd = json!({"kty": "oct", "kid": "odd", "k": "AAAA"});
    let mut both = serde_json::to_value(first().jwk()).unwrap();
    both.as_object_mut().unwrap().remove("alg");
    provider.publish_json(&set(&[odd, both]));
    issuer.ready().await;
    sleep(MINUTE).await;
    let status = serde_json::to_value(issuer.status()).unwrap();
    assert_eq!(status["ready"], true);
    assert_eq!(
        status["keys"],
        json!([{
            "kid": first().kid(),
            "thumbprint": first().jwk().thumbprint(),
            "algorithms": ["ES256"],
        }])
    );
    assert_eq!(status["left_out"][0]["kid"], "odd");
    assert_eq!(status["left_out"][0]["private"], true);
    assert_eq!(status["age_seconds"], 60);
    assert_eq!(
        (&status["fetches"], &status["failures"]),
        (&json!(2), &json!(0))
    );
    assert!(status["last_error"]["message"].is_string(), "kept");
    let number = |name: &str| status[name].as_u64().unwrap();
    assert_eq!(number("usable_until") - number("fetched_at"), 600 + 86_400);
    assert!((450..=541).contains(&(number("next_fetch") - number("fetched_at"))));
}

#[test]
fn keys_that_are_not_fetched_have_a_state_too() {
    let issuer = tests::forge::issuer(first());
    let status: Value = serde_json::to_value(issuer.status()).unwrap();
    assert_eq!(
        status,
        json!({
            "ready": true,
            "keys": [{
                "kid": first().kid(),
                "thumbprint": first().jwk().thumbprint(),
                "algorithms": ["ES256"],
            }],
            "left_out": [],
        })
    );
}

#[tokio::test(start_paused = true)]
async fn the_log_tells_the_same_and_nothing_of_a_token() {
    let log = Capture::start();
    let (provider, _, verifier, _) = start().await;
    let unknown = token(&new_key(Algorithm::ES256));
    let kid = tests::forge::header_of(&unknown)["kid"].clone();
    assert!(verdict_in_time(&verifier, &unknown).await.is_err());
    provider.behave(Behavior::Down);
    sleep(HOUR).await;
    provider.behave(Behavior::Serves(""));
    sleep(2 * MINUTE).await;
    sleep(10 * MINUTE).await;
    let text = log.text();
    for expected in [
        "the issuer's keys were fetched",
        first().kid(),
        "a token names an unknown key",
        "the issuer's keys were not fetched; those at hand are kept",
        "connection refused",
        "up to date",
        ISSUER,
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let parts = unknown.split('.').chain(kid.as_str());
    tests::capture::assert_without(&text, parts);
}

#[tokio::test(start_paused = true)]
async fn a_handle_shows_its_state() {
    let (_, keys, _, _) = start().await;
    let text = format!("{keys:?}");
    assert!(
        text.contains(ISSUER) && text.contains(first().kid()),
        "{text}"
    );
}
