//! What is trusted of a set.

use super::*;
use serde_json::{Value, json};
use tests::capture::Capture;
use tower_jwks::Jwk;

fn member(key: &SigningKey) -> Value {
    serde_json::to_value(key.jwk()).unwrap()
}

async fn left_out(keys: &[Value]) -> (RemoteJwks, Verifier, String) {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.publish_json(&set(keys));
    let keys = provider.at(&clock).build().unwrap();
    keys.ready().await;
    let verifier = verifier(&keys, &clock);
    let names: Vec<String> = keys
        .status()
        .left_out
        .iter()
        .map(ToString::to_string)
        .collect();
    (keys, verifier, names.join("; "))
}

#[tokio::test(start_paused = true)]
async fn an_odd_key_spoils_only_itself() {
    for (odd, why) in [
        (
            json!({"kty": "EC", "crv": "secp256k1", "kid": "odd", "x": "AA", "y": "AA"}),
            r#"key 0 (kid "odd"): crv"#,
        ),
        (
            json!({"kty": "AKP", "alg": "ML-DSA-65", "kid": "odd", "pub": "AA"}),
            r#"key 0 (kid "odd"): "#,
        ),
        (
            json!({"kty": "RSA", "kid": "odd", "n": "!", "e": "AQAB"}),
            r#"key 0 (kid "odd"): n"#,
        ),
        (json!({"kid": 7}), "key 0: "),
        (json!(null), "key 0: "),
        (json!([]), "key 0: "),
        (
            json!({"kty": "oct", "kid": "secret", "k": "AAAA"}),
            r#"key 0 (kid "secret"): "#,
        ),
    ] {
        let (_, verifier, names) = left_out(&[odd.clone(), member(first())]).await;
        assert_eq!(verdict(&verifier, &token(first())), Ok(()), "{odd}");
        assert!(names.starts_with(why), "{odd}: {names}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_keys_of_one_type_and_one_kid_are_both_refused() {
    let mut namesake = member(&new_key(Algorithm::ES256));
    namesake["kid"] = first().kid().into();
    let other = new_key(Algorithm::EdDSA);
    let (_, verifier, names) = left_out(&[member(first()), namesake, member(&other)]).await;
    assert_eq!(
        verdict(&verifier, &token(first())),
        Err(RefusalReason::UnknownKey)
    );
    assert_eq!(verdict(&verifier, &token(&other)), Ok(()));
    assert!(
        names.contains("key 0") && names.contains("key 1"),
        "{names}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_secret_was_published_is_an_alarm_and_not_used() {
    let log = Capture::start();
    let mut leaked = member(first());
    leaked["d"] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI".into();
    let other = new_key(Algorithm::EdDSA);
    let (keys, verifier, _) = left_out(&[leaked.clone(), member(&other)]).await;
    assert_eq!(
        verdict(&verifier, &token(first())),
        Err(RefusalReason::UnknownKey)
    );
    assert_eq!(verdict(&verifier, &token(&other)), Ok(()));
    assert!(keys.status().left_out[0].is_private());
    let text = log.text();
    assert!(
        text.contains("ERROR") && text.contains("published a private key"),
        "{text}"
    );
    tests::capture::assert_without(&text, [leaked["d"].as_str().unwrap()]);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_is_published_later_beside_the_same_keys_is_an_alarm_too() {
    let log = Capture::start();
    let (provider, keys, _, _) = start().await;
    assert_eq!(keys.status().left_out, []);
    let mut leaked = member(&new_key(Algorithm::EdDSA));
    leaked["d"] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI".into();
    provider.publish_json(&set(&[member(first()), leaked]));
    sleep(10 * MINUTE).await;
    assert!(keys.status().left_out[0].is_private());
    assert!(log.text().contains("published a private key"));
}

#[tokio::test(start_paused = true)]
async fn a_withdrawn_key_is_trusted_no_more_from_the_next_fetch_on() {
    let (provider, _, verifier, _) = start().await;
    let second = new_key(Algorithm::ES256);
    let old = token(first());
    assert_eq!(verdict(&verifier, &old), Ok(()));
    provider.publish([second.jwk().clone()]);
    sleep(10 * MINUTE).await;
    assert_eq!(verdict(&verifier, &old), Err(RefusalReason::UnknownKey));
    assert_eq!(verdict(&verifier, &token(&second)), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_empty_set_is_an_outage() {
    let (provider, keys, verifier, _) = start().await;
    provider.publish_json(&set(&[]));
    sleep(HOUR).await;
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
    let status = fetching(&keys);
    assert!(status.failures > 10);
    assert!(
        status
            .last_error
            .unwrap()
            .message
            .contains("has no usable key")
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_set_revokes_all_keys_where_it_was_said_to() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let keys = provider.at(&clock).revoke_on_empty_set().build().unwrap();
    keys.ready().await;
    let verifier = verifier(&keys, &clock);
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
    provider.publish(Vec::<Jwk>::new());
    sleep(10 * MINUTE).await;
    assert_eq!(
        verdict(&verifier, &token(first())),
        Err(RefusalReason::UnknownKey)
    );
    assert_eq!(fetching(&keys).failures, 0);
}

#[tokio::test(start_paused = true)]
async fn keys_are_prepared_for_the_algorithms_that_are_allowed() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let other = new_key(Algorithm::EdDSA);
    provider.publish([first().jwk().clone(), other.jwk().clone()]);
    let keys = provider
        .at(&clock)
        .algorithms([Algorithm::EdDSA])
        .build()
        .unwrap();
    keys.ready().await;
    let verifier = verifier(&keys, &clock);
    assert_eq!(verdict(&verifier, &token(&other)), Ok(()));
    assert_eq!(
        verdict(&verifier, &token(first())),
        Err(RefusalReason::UnknownKey)
    );
    assert_eq!(keys.status().keys.len(), 1);
    assert_eq!(keys.status().left_out.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn algorithms_named_for_the_issuer_count_before_those_named_for_its_keys() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let other = new_key(Algorithm::EdDSA);
    provider.publish([first().jwk().clone(), other.jwk().clone()]);
    let keys = || provider.at(&clock).algorithms([Algorithm::EdDSA]);
    for (issuer, allowed) in [
        (Issuer::from_remote(keys()), &other),
        (
            Issuer::from_remote(keys()).algorithms([Algorithm::ES256]),
            first(),
        ),
    ] {
        let issuer = issuer.audience(AUDIENCE).build().unwrap();
        issuer.ready().await;
        let verifier = Verifier::builder().issuer(issuer).clock(clock);
        let verifier = verifier.build().unwrap();
        for key in [first(), &other] {
            let expected = key.kid() == allowed.kid();
            assert_eq!(verdict(&verifier, &token(key)).is_ok(), expected);
        }
    }
}
