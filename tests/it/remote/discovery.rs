//! Where the keys are, as the issuer's metadata says.

use super::*;

const PLACES: [&str; 2] = [
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
];

#[tokio::test(start_paused = true)]
async fn the_keys_are_found_through_the_metadata() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let keys = provider.discovered(&clock).build().unwrap();
    assert_eq!(fetching(&keys).jwks_uri, None);
    keys.ready().await;
    assert_eq!(
        fetching(&keys).jwks_uri.as_deref(),
        Some(provider::JWKS_URI)
    );
    assert_eq!(verdict(&verifier(&keys, &clock), &token(first())), Ok(()));
    assert_eq!(provider.requests_for(PLACES[0]).len(), 1);
    assert_eq!(provider.requests_for(PLACES[1]).len(), 0);
}

#[tokio::test(start_paused = true)]
async fn metadata_of_another_issuer_is_not_believed() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let other = format!(
        r#"{{"issuer":"{ISSUER}/","jwks_uri":"{}"}}"#,
        provider::JWKS_URI
    );
    provider.behave(Behavior::Says(JSON, other));
    let keys = provider.discovered(&clock).build().unwrap();
    sleep(SECOND / 2).await;
    let message = last_error(&keys);
    assert!(message.contains("every byte counts"), "{message}");
    assert!(provider.fetches() == 0 && !keys.status().is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_place_that_answers_404_is_followed_by_the_next() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.behave(Behavior::Answers("404 Not Found"));
    let keys = provider.discovered(&clock).build().unwrap();
    sleep(SECOND / 4).await;
    for place in PLACES {
        assert_eq!(provider.requests_for(place).len(), 1, "{place}");
    }
    let message = last_error(&keys);
    assert!(
        message.contains(PLACES[0]) && message.contains("404"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_says_is_kept_short_and_plain_in_what_is_told_of_it() {
    let log = tests::capture::Capture::start();
    let clock = TestClock::start();
    let provider = Provider::of(first());
    for uri in [
        "a".repeat(40_000),
        "\u{202e}\u{9b}".repeat(100),
        "\\n\\u001b[31m".repeat(100),
    ] {
        let document =
            format!(r#"{{"issuer":"{ISSUER}","jwks_uri":"https://a.example.com/{uri}#"}}"#);
        provider.behave(Behavior::Says(JSON, document));
        let keys = provider.discovered(&clock).build().unwrap();
        sleep(SECOND / 4).await;
        let message = last_error(&keys);
        assert!(message.len() < 3000, "{}", message.len());
        assert!(
            message
                .chars()
                .all(|char| char.is_ascii_graphic() || char == ' '),
            "{message}"
        );
        let refusal = verifier(&keys, &clock).verify(&token(first())).unwrap_err();
        assert!(refusal.to_string().len() < 200, "{refusal}");
    }
    assert!(log.text().len() < 20_000);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_answers_with_a_page_for_people_is_followed_by_the_next() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let page = Behavior::Says("content-type: text/html\r\n", "<!doctype html>".to_owned());
    provider.behave(page);
    let keys = provider.discovered(&clock).build().unwrap();
    sleep(SECOND / 4).await;
    assert_eq!(provider.requests_for(PLACES[1]).len(), 1);
    let message = last_error(&keys);
    assert!(message.contains("text/html"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_host_that_does_not_answer_is_asked_once() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.behave(Behavior::Answers("503 Service Unavailable"));
    let keys = provider.discovered(&clock).build().unwrap();
    sleep(SECOND / 4).await;
    assert_eq!(provider.requests_for(PLACES[0]).len(), 1);
    assert_eq!(provider.requests_for(PLACES[1]).len(), 0);
    assert_eq!(fetching(&keys).failures, 1);
}

#[tokio::test(start_paused = true)]
async fn metadata_is_asked_again_when_it_is_old_and_conditionally() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let keys = provider.discovered(&clock).build().unwrap();
    keys.ready().await;
    sleep(HOUR).await;
    let requests = provider.requests_for(PLACES[0]);
    assert!((4..=9).contains(&requests.len()), "{}", requests.len());
    assert!(
        requests[1..]
            .iter()
            .all(|head| head.contains("if-none-match"))
    );
    assert_eq!(verdict(&verifier(&keys, &clock), &token(first())), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn keys_that_move_are_not_asked_for_by_the_version_they_had_elsewhere() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let keys = provider.discovered(&clock).build().unwrap();
    keys.ready().await;
    let second = new_key(Algorithm::ES256);
    // The first version there has the same tag as the first here had.
    provider.move_to("/new", [second.jwk().clone()]);
    sleep(20 * MINUTE).await;
    assert!(!provider.requests_for("/new")[0].contains("if-none-match"));
    assert_eq!(verdict(&verifier(&keys, &clock), &token(&second)), Ok(()));
    assert_eq!(
        verdict(&verifier(&keys, &clock), &token(first())),
        Err(RefusalReason::UnknownKey)
    );
}

#[tokio::test(start_paused = true)]
async fn metadata_that_hangs_or_is_gone_does_not_stop_keys_whose_place_is_known() {
    for behavior in [
        Behavior::Hangs,
        Behavior::Down,
        Behavior::Answers("404 Not Found"),
        Behavior::Answers("500 Internal Server Error"),
        Behavior::Says("content-type: text/html\r\n", String::new()),
    ] {
        let clock = TestClock::start();
        let provider = Provider::of(first());
        let keys = provider.discovered(&clock).build().unwrap();
        keys.ready().await;
        provider.behave_elsewhere(behavior.clone());
        let second = new_key(Algorithm::ES256);
        provider.publish([second.jwk().clone()]);
        sleep(25 * MINUTE).await;
        assert_eq!(fetching(&keys).failures, 0, "{behavior:?}");
        assert_eq!(
            verdict(&verifier(&keys, &clock), &token(&second)),
            Ok(()),
            "{behavior:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_issuer_whose_place_somebody_else_has_taken_is_not_asked_for_keys() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let keys = provider.discovered(&clock).build().unwrap();
    keys.ready().await;
    let other =
        r#"{"issuer":"https://other.example.com","jwks_uri":"https://idp.example.com/keys"}"#;
    provider.behave_elsewhere(Behavior::Says(JSON, other.to_owned()));
    sleep(HOUR).await;
    assert!(fetching(&keys).failures > 10);
    let before = provider.fetches();
    sleep(HOUR).await;
    assert_eq!(provider.fetches(), before);
}

#[tokio::test(start_paused = true)]
async fn a_url_that_is_not_safe_is_refused_when_it_is_built() {
    for issuer in [
        "http://idp.example.com",
        "idp.example.com",
        "",
        "https://idp.example.com/#a",
        "https://idp.example.com/?a=b",
        "https://user:secret@idp.example.com",
    ] {
        let error = Issuer::discover(issuer)
            .audience(AUDIENCE)
            .build()
            .unwrap_err();
        assert_eq!(error.field(), "issuer", "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    for uri in [
        "http://idp.example.com/keys",
        "/keys",
        "ftp://127.0.0.1/keys",
    ] {
        let error = Issuer::jwks(ISSUER, uri)
            .audience(AUDIENCE)
            .build()
            .unwrap_err();
        assert_eq!(error.field(), "jwks_uri", "{error}");
    }
    assert!(
        RemoteJwks::at(ISSUER, "http://idp.example.com/keys")
            .dangerous_allow_http()
            .build()
            .is_ok()
    );
    assert!(
        Issuer::jwks(ISSUER, "http://127.0.0.1:9/keys")
            .audience(AUDIENCE)
            .build()
            .is_ok()
    );
}

#[test]
fn without_a_runtime_there_is_an_error_that_says_so() {
    let error = Issuer::discover(ISSUER)
        .audience(AUDIENCE)
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn settings_out_of_bounds_are_refused_by_name() {
    let keys = || RemoteJwks::at(ISSUER, provider::JWKS_URI);
    for (builder, field) in [
        (keys().algorithms([]), "algorithms"),
        (keys().lifetime(Duration::ZERO..=MINUTE), "lifetime"),
        (keys().lifetime(HOUR..=MINUTE), "lifetime"),
        (keys().lifetime(MINUTE..=1000 * HOUR), "lifetime"),
        (keys().stale_if_error(1000 * HOUR), "stale_if_error"),
        (keys().time_limit(Duration::ZERO), "time_limit"),
        (keys().time_limit(HOUR), "time_limit"),
        (keys().unknown_kid_budget(0, MINUTE), "unknown_kid_budget"),
        (
            keys().unknown_kid_budget(1, Duration::ZERO),
            "unknown_kid_budget",
        ),
        (
            keys().unknown_kid_wait(Duration::MAX, 1),
            "unknown_kid_wait",
        ),
        (RemoteJwks::at("", provider::JWKS_URI), "issuer"),
    ] {
        assert_eq!(builder.build().unwrap_err().field(), field);
    }
}
