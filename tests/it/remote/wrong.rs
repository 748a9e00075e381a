//! A provider that answers wrongly: the keys at hand stay, and the error says what was wrong.

use super::*;

/// What is said of a fetch when the provider behaves like this; the keys at hand stay.
async fn failure(behavior: Behavior) -> String {
    let (provider, keys, verifier, clock) = start().await;
    let before = clock.elapsed();
    provider.behave(behavior.clone());
    // A token with an unknown `kid` has them fetched at once.
    let unknown = token(&new_key(Algorithm::ES256));
    let _ = verdict_in_time(&verifier, &unknown).await;
    while fetching(&keys).failures == 0 {
        sleep(SECOND).await;
    }
    let took = clock.elapsed() - before;
    assert!(took <= 6 * SECOND, "{behavior:?}: {took:?}");
    assert_eq!(verdict(&verifier, &token(first())), Ok(()), "{behavior:?}");
    let error = fetching(&keys).last_error.unwrap();

    provider.behave(Behavior::Serves(""));
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    sleep(2 * MINUTE).await;
    assert_eq!(verdict(&verifier, &token(&second)), Ok(()), "{behavior:?}");
    error.message
}

fn says(fields: &'static str, body: &str) -> Behavior {
    Behavior::Says(fields, body.to_owned())
}

#[tokio::test(start_paused = true)]
async fn whatever_is_answered_the_keys_at_hand_stay() {
    let good = JSON;
    let html = "content-type: text/html\r\n";
    let packed = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    let set = set(&[]);
    for (behavior, expected) in [
        (Behavior::Down, "connection refused"),
        (Behavior::Panics, "has panicked"),
        (Behavior::Hangs, "was not there after 5s"),
        (Behavior::Drips, "was not there after 5s"),
        (Behavior::Slow(6 * SECOND), "was not there after 5s"),
        (Behavior::Truncates, "end of file"),
        (Behavior::Floods, "more than 256 KiB"),
        (
            Behavior::Answers("500 Internal Server Error"),
            "answered 500",
        ),
        (Behavior::Answers("404 Not Found"), "answered 404"),
        (Behavior::Answers("204 No Content"), "answered 204"),
        (Behavior::Answers("206 Partial Content"), "answered 206"),
        (
            Behavior::Answers("301 Moved Permanently\r\nlocation: http://127.0.0.1/"),
            "redirects are not followed",
        ),
        (
            Behavior::Answers("302 Found\r\nlocation: http://169.254.169.254/"),
            "redirects are not followed",
        ),
        (
            Behavior::Answers("307 Temporary Redirect\r\nlocation: file:///etc/keys"),
            "redirects are not followed",
        ),
        (says("", &set), "without a media type"),
        (says(html, "<!doctype html>"), r#"media type "text/html""#),
        (says(html, &set), r#"media type "text/html""#),
        (
            says("content-type: application/jsonp\r\n", &set),
            "application/jsonp",
        ),
        (says(packed, &set), "packed body"),
        (says(good, ""), "is not a JWK Set"),
        (says(good, "{"), "is not a JWK Set"),
        (says(good, "null"), "is not a JWK Set"),
        (says(good, "[]"), "is not a JWK Set"),
        (says(good, "{}"), "missing field `keys`"),
        (says(good, r#"{"keys":null}"#), "is not a JWK Set"),
        (says(good, r#"{"keys":{}}"#), "is not a JWK Set"),
        (says(good, r#"{"keys":[{}]}"#), "has no usable key"),
        (says(good, &set), "has no usable key"),
        (
            says(good, &format!(r#"{{"keys":[{}1]}}"#, "1,".repeat(64))),
            "more than 64 keys",
        ),
        (
            says(good, &padded(&set, 256 * 1024 + 1)),
            "more than 256 KiB",
        ),
        (says(good, &"[".repeat(100_000)), "is not a JWK Set"),
    ] {
        let message = failure(behavior.clone()).await;
        assert!(message.contains(expected), "{behavior:?}: {message}");
        assert!(message.len() < 500, "{behavior:?}: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_answer_of_304_is_no_key() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.behave(Behavior::Answers("304 Not Modified"));
    let keys = provider.at(&clock).build().unwrap();
    sleep(SECOND / 2).await;
    let message = last_error(&keys);
    assert!(
        message.contains("nothing was there to be unmodified"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn of_a_flood_no_more_is_taken_than_a_set_may_be_long() {
    let (provider, keys, ..) = start().await;
    let before = provider.sent();
    provider.behave(Behavior::Floods);
    sleep(10 * MINUTE).await;
    let fetches = fetching(&keys).fetches - 1;
    let taken = (provider.sent() - before) / fetches;
    // And what lay in buffers on the way.
    assert!(taken < 512 * 1024, "{taken}");
}

#[tokio::test(start_paused = true)]
async fn the_largest_set_and_either_media_type_are_taken() {
    let key = first().jwk();
    let json = set(&[serde_json::to_value(key).unwrap()]);
    for behavior in [
        says(
            "content-type: application/json; charset=utf-8\r\n",
            &padded(&json, 256 * 1024),
        ),
        says("content-type: application/jwk-set+json\r\n", &json),
        says("content-type: Application/JWK-Set+JSON\r\n", &json),
        says(
            "content-type: application/json\r\ncontent-encoding: identity\r\n",
            &json,
        ),
    ] {
        let clock = TestClock::start();
        let provider = Provider::of(first());
        provider.behave(behavior.clone());
        let keys = provider.at(&clock).build().unwrap();
        sleep(SECOND / 2).await;
        assert!(keys.status().is_ready(), "{:?}", keys.status());
    }
}
