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
    assert_eq!(keys.status().jwks_uri, None);
    keys.ready().await;
    assert_eq!(keys.status().jwks_uri.as_deref(), Some(provider::JWKS_URI));
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
    let message = keys.status().last_error.unwrap().message;
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
    let message = keys.status().last_error.unwrap().message;
    assert!(
        message.contains(PLACES[0]) && message.contains("404"),
        "{message}"
    );
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
    assert_eq!(keys.status().failures, Some(1));
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
        (RemoteJwks::at("", provider::JWKS_URI), "issuer"),
    ] {
        assert_eq!(builder.build().unwrap_err().field(), field);
    }
}
