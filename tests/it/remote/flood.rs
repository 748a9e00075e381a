//! Tokens that name an unknown key: one real, ten thousand forged.

use super::*;
use tests::forge::compact;
use tower_jwks::Waiting;

/// A token that could be valid, with a `kid` of its own and no signature.
fn forged(kid: u64) -> String {
    let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"forged-{kid}"}}"#);
    compact(header, tests::forge::claims().to_string(), [0; 64])
}

/// Sends forged tokens for as long as `more` says, ten thousand a second, in a thousand steps of ten.
/// How many were sent.
async fn flood(verifier: &Verifier, mut more: impl FnMut() -> bool) -> u64 {
    let mut sent = 0;
    while more() {
        for _ in 0..10 {
            assert_eq!(
                verdict(verifier, &forged(sent)),
                Err(RefusalReason::UnknownKey)
            );
            sent += 1;
        }
        sleep(Duration::from_millis(1)).await;
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_forged_kids_a_second_cause_a_handful_of_fetches() {
    let (provider, keys, verifier, clock) = start().await;
    let end = clock.elapsed() + SECOND;
    let sent = flood(&verifier, || clock.elapsed() < end).await;
    assert!(sent >= 9_000, "{sent}");
    // The one at the start, and what the budget has.
    assert_eq!(provider.fetches(), 1 + 4);
    assert_eq!(fetching(&keys).budget_left, 0);
    // For as long as it goes on: one each five seconds.
    let end = clock.elapsed() + 20 * SECOND;
    flood(&verifier, || clock.elapsed() < end).await;
    assert_eq!(provider.fetches(), 1 + 4 + 4);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_accepted_at_its_first_token() {
    let (provider, _, verifier, clock) = start().await;
    sleep(MINUTE).await;
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    provider.behave(Behavior::Slow(SECOND));
    let before = clock.elapsed();
    assert_eq!(verdict_in_time(&verifier, &token(&second)).await, Ok(()));
    assert_eq!(clock.elapsed() - before, SECOND);
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_accepted_within_seconds_while_a_flood_goes_on() {
    let (provider, _, verifier, clock) = start().await;
    // The budget is used up before the key is there.
    let end = clock.elapsed() + 7 * SECOND;
    flood(&verifier, || clock.elapsed() < end).await;
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    let rotated = clock.elapsed();
    let new = token(&second);
    flood(&verifier, || verdict(&verifier, &new).is_err()).await;
    let took = clock.elapsed() - rotated;
    assert!(took <= 5 * SECOND, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_known_key_never_waits_whatever_the_fetch_is_doing() {
    let (provider, _, verifier, clock) = start().await;
    provider.behave(Behavior::Hangs);
    let unknown = token(&new_key(Algorithm::ES256));
    let hanging = tokio::spawn({
        let verifier = verifier.clone();
        async move { verdict_in_time(&verifier, &unknown).await }
    });
    sleep(SECOND).await;
    let before = clock.elapsed();
    for _ in 0..100 {
        assert_eq!(verdict_in_time(&verifier, &token(first())).await, Ok(()));
    }
    assert_eq!(clock.elapsed(), before);
    assert_eq!(hanging.await.unwrap(), Err(RefusalReason::UnknownKey));
    assert_eq!(clock.elapsed(), 3 * SECOND, "a wait has an end");
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_hangs_up_changes_nothing() {
    let (provider, _, verifier, clock) = start().await;
    provider.behave(Behavior::Slow(SECOND));
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    let new = token(&second);
    {
        let waiting = verdict_in_time(&verifier, &new);
        let cut = tokio::time::timeout(SECOND / 20, waiting).await;
        assert!(cut.is_err(), "it was under way when its caller went");
    }
    let before = clock.elapsed();
    assert_eq!(verdict_in_time(&verifier, &new).await, Ok(()));
    assert_eq!(
        clock.elapsed() - before,
        SECOND - SECOND / 20,
        "the rest of the same fetch"
    );
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_at_once_cause_one_fetch() {
    let (provider, _, verifier, _) = start().await;
    provider.behave(Behavior::Slow(SECOND));
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    let new = token(&second);
    let requests: Vec<_> = (0..1000)
        .map(|_| {
            let (verifier, new) = (verifier.clone(), new.clone());
            tokio::spawn(async move { verdict_in_time(&verifier, &new).await })
        })
        .collect();
    let mut accepted = 0;
    for request in requests {
        accepted += usize::from(request.await.unwrap().is_ok());
    }
    assert_eq!(provider.fetches(), 2);
    assert_eq!(accepted, 256, "as many as may wait");
    assert_eq!(verdict(&verifier, &new), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn requests_wait_in_a_number_and_for_a_time_that_can_be_set() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let keys = provider
        .at(&clock)
        .unknown_kid_wait(2 * SECOND, 3)
        .build()
        .unwrap();
    keys.ready().await;
    provider.behave(Behavior::Hangs);
    let waiting: Vec<Waiting> = (0..10)
        .filter_map(|n: i32| keys.refresh_for(Some(&n.to_string()), Algorithm::ES256))
        .collect();
    assert_eq!(waiting.len(), 3);
    let before = clock.elapsed();
    for waiting in waiting {
        waiting.await;
    }
    assert_eq!(clock.elapsed() - before, 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_known_to_be_absent_is_not_fetched_for_again() {
    let (provider, _, verifier, _) = start().await;
    let stale = token(&new_key(Algorithm::ES256));
    for _ in 0..1000 {
        assert_eq!(
            verdict_in_time(&verifier, &stale).await,
            Err(RefusalReason::UnknownKey)
        );
    }
    assert_eq!(provider.fetches(), 2);
    // It may be published after all.
    sleep(10 * SECOND).await;
    assert_eq!(
        verdict_in_time(&verifier, &stale).await,
        Err(RefusalReason::UnknownKey)
    );
    assert_eq!(provider.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn only_a_token_that_could_be_valid_has_anything_fetched() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let keys = provider.at(&clock).algorithms([Algorithm::ES256]);
    let keys = keys.build().unwrap();
    keys.ready().await;
    let verifier = verifier(&keys, &clock);
    let unknown = new_key(Algorithm::ES256);
    let good = || Token::of(&unknown);
    let past = NOW.saturating_sub(HOUR).as_secs();
    let future = NOW.saturating_add(HOUR).as_secs();
    for token in [
        good().claim("iss", "https://another.example.com"),
        good().claim("aud", "another"),
        good().without_claim("aud"),
        good().claim("exp", past),
        good().without_claim("exp"),
        good().claim("exp", "soon"),
        good().claim("nbf", future),
        good().claim("iat", future),
        good().claim("cnf", serde_json::json!({"jkt": "a"})),
        good().header("typ", "logout+jwt"),
        good().header("alg", "HS256"),
        good().header("crit", serde_json::json!(["a"])),
        good().header("kid", "k".repeat(300)),
        good().claim("padding", "p".repeat(16 * 1024)),
        // Of an algorithm that its keys are not prepared for.
        good().header("alg", "RS256"),
        // Known by name, and forged.
        good().header("kid", first().kid()),
    ] {
        assert!(verdict_in_time(&verifier, &token.sign()).await.is_err());
    }
    assert_eq!(provider.fetches(), 1);
    assert!(verdict_in_time(&verifier, &good().sign()).await.is_err());
    assert_eq!(provider.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_without_a_name_is_fetched_for_as_well() {
    let (provider, _, verifier, _) = start().await;
    let second = new_key(Algorithm::ES256);
    let mut unnamed = serde_json::to_value(second.jwk()).unwrap();
    unnamed.as_object_mut().unwrap().remove("kid");
    provider.publish_json(&set(&[unnamed]));
    let nameless = Token::of(&second).without_header("kid").sign();
    assert_eq!(verdict_in_time(&verifier, &nameless).await, Ok(()));
    assert_eq!(provider.fetches(), 2);
    // Tried for any name, so that another name is no reason to believe that it is all there is.
    let third = new_key(Algorithm::ES256);
    provider.publish([third.jwk().clone()]);
    assert_eq!(verdict_in_time(&verifier, &token(&third)).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_found_soon_though_somebody_guessed_its_name_or_it_has_none() {
    let (provider, _, verifier, clock) = start().await;
    let second = new_key(Algorithm::ES256);
    for named in [true, false] {
        let real = || {
            let end = NOW.saturating_add(48 * HOUR).as_secs();
            let token = Token::of(&second).claim("exp", end);
            if named {
                token
            } else {
                token.without_header("kid")
            }
        };
        assert!(verdict_in_time(&verifier, &real().sign()).await.is_err());
        let mut key = serde_json::to_value(second.jwk()).unwrap();
        if !named {
            key.as_object_mut().unwrap().remove("kid");
        }
        provider.publish_json(&set(&[key]));
        let before = clock.elapsed();
        while verdict_in_time(&verifier, &real().sign()).await.is_err() {
            sleep(SECOND).await;
        }
        assert!(clock.elapsed() - before <= 11 * SECOND);
        provider.publish([first().jwk().clone()]);
        sleep(20 * MINUTE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_does_not_undo_a_pause_that_the_provider_asks_for() {
    let (provider, _, verifier, clock) = start().await;
    provider.behave(Behavior::Answers(
        "503 Service Unavailable\r\nretry-after: 3600",
    ));
    flood(&verifier, || provider.fetches() < 2).await;
    let end = clock.elapsed() + 50 * SECOND;
    flood(&verifier, || clock.elapsed() < end).await;
    assert_eq!(provider.fetches(), 2);
    // Nor does what the flood may have caused last for long.
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    provider.behave(Behavior::Serves(""));
    sleep(11 * SECOND).await;
    assert_eq!(verdict(&verifier, &token(&second)), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn one_issuers_trouble_does_not_touch_another() {
    let clock = TestClock::start();
    let [one, other] = [(); 2].map(|()| Provider::of(first()));
    let [one_keys, other_keys] =
        [&one, &other].map(|provider| provider.at(&clock).build().unwrap());
    const OTHER: &str = "https://other.example.com";
    let issuer = |name: &str, keys: &RemoteJwks| {
        Issuer::from_source(name, keys.clone())
            .audience(AUDIENCE)
            .build()
            .unwrap()
    };
    let verifier = Verifier::builder()
        .issuer(issuer(ISSUER, &one_keys))
        .issuer(issuer(OTHER, &other_keys))
        .clock(clock)
        .build()
        .unwrap();
    verifier.ready().await;
    one.behave(Behavior::Hangs);
    let end = clock.elapsed() + 2 * SECOND;
    flood(&verifier, || clock.elapsed() < end).await;
    assert_eq!(fetching(&other_keys).budget_left, 4);
    assert_eq!(
        fetching(&one_keys).budget_left,
        3,
        "while one fetch hangs there is no other"
    );

    // A new key of the other is accepted at once.
    let second = new_key(Algorithm::ES256);
    other.publish([second.jwk().clone()]);
    let theirs = Token::of(&second).claim("iss", OTHER).sign();
    let before = clock.elapsed();
    assert_eq!(verdict_in_time(&verifier, &theirs).await, Ok(()));
    assert_eq!(clock.elapsed(), before);
    // And it is no key of the first.
    assert!(verdict(&verifier, &token(&second)).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_accepted_as_soon_as_its_provider_is_back() {
    let (provider, _, verifier, clock) = start().await;
    provider.behave(Behavior::Down);
    // Until the pauses of the timer are long.
    sleep(HOUR).await;
    let second = new_key(Algorithm::ES256);
    assert!(verdict_in_time(&verifier, &token(&second)).await.is_err());
    provider.publish([second.jwk().clone()]);
    provider.behave(Behavior::Serves(""));
    let before = clock.elapsed();
    assert_eq!(verdict_in_time(&verifier, &token(&second)).await, Ok(()));
    assert_eq!(clock.elapsed(), before);
}
