//! When the keys are fetched, and for how long they are trusted.

use super::*;

#[tokio::test(start_paused = true)]
async fn nothing_waits_at_the_start_and_there_are_keys_soon() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.behave(Behavior::Slow(2 * SECOND));
    let keys = provider.at(&clock).build().unwrap();
    let verifier = verifier(&keys, &clock);

    let refusal = verifier.verify(&token(first())).unwrap_err();
    assert_eq!(refusal.reason(), RefusalReason::KeysUnavailable);
    assert_eq!(refusal.retry_after(), Some(SECOND));
    assert!(
        refusal.to_string().contains("have not been fetched yet"),
        "{refusal}"
    );

    verifier.ready().await;
    assert_eq!(clock.elapsed().as_secs(), 2);
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_comes_up_late_is_found_without_a_restart() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.behave(Behavior::Down);
    let keys = provider.at(&clock).build().unwrap();
    let verifier = verifier(&keys, &clock);
    sleep(HOUR).await;

    let refusal = verifier.verify(&token(first())).unwrap_err();
    assert_eq!(refusal.reason(), RefusalReason::KeysUnavailable);
    let known = last_error(&keys);
    assert!(known.contains("connection refused"), "{known}");
    let told = refusal.retry_after().unwrap();
    assert!((SECOND..=6 * SECOND).contains(&told), "{told:?}");

    provider.behave(Behavior::Serves(""));
    sleep(told + 2 * SECOND).await;
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
}

/// The seconds between the last two of so many fetches.
async fn interval(fields: &'static str) -> u64 {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.behave(Behavior::Serves(fields));
    let keys = provider.at(&clock).build().unwrap();
    keys.ready().await;
    let start = clock.elapsed();
    while provider.fetches() < 2 {
        sleep(SECOND).await;
    }
    (clock.elapsed() - start).as_secs()
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_ahead_of_the_end_that_their_provider_gives_them() {
    for (fields, lifetime) in [
        ("", 600),
        ("cache-control: max-age=300\r\n", 300),
        ("cache-control: max-age=300\r\nage: 200\r\n", 100),
        (
            "date: Tue, 03 Feb 2026 04:05:06 GMT\r\nexpires: Tue, 03 Feb 2026 04:10:06 GMT\r\n",
            300,
        ),
        // Out of bounds.
        ("cache-control: no-store\r\n", 60),
        ("cache-control: max-age=0\r\n", 60),
        ("expires: 0\r\n", 60),
        ("cache-control: max-age=99999999999\r\n", 86_400),
        (
            "cache-control: max-age=60\r\nage: 99999999999999999999999\r\n",
            60,
        ),
    ] {
        let seconds = interval(fields).await;
        let ahead = lifetime * 74 / 100..=lifetime * 91 / 100 + 1;
        assert!(ahead.contains(&seconds), "{fields:?}: {seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_two_programs_fetch_in_step() {
    let mut intervals = Vec::new();
    for _ in 0..8 {
        intervals.push(interval("cache-control: max-age=86400\r\n").await);
    }
    intervals.sort_unstable();
    intervals.dedup();
    assert!(intervals.len() > 4, "{intervals:?}");
}

#[tokio::test(start_paused = true)]
async fn a_known_version_is_asked_for_with_its_etag() {
    let (provider, keys, verifier, _) = start().await;
    sleep(HOUR).await;
    let requests = provider.requests_for("/keys");
    assert!(requests.len() > 4);
    assert!(!requests[0].contains("if-none-match"));
    assert!(
        requests[1..]
            .iter()
            .all(|head| head.contains("if-none-match: \"1\"\r\n"))
    );
    assert!(fetching(&keys).age.unwrap() < 10 * MINUTE);
    assert_eq!(fetching(&keys).failures, 0);

    // The version after that comes whole.
    let second = new_key(Algorithm::ES256);
    provider.publish([first().jwk().clone(), second.jwk().clone()]);
    sleep(10 * MINUTE).await;
    assert_eq!(verdict(&verifier, &token(&second)), Ok(()));
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_request_says_nothing_but_what_is_asked_for() {
    let (provider, _, verifier, _) = start().await;
    let unknown = new_key(Algorithm::ES256);
    let unknown = token(&unknown);
    assert_eq!(
        verdict_in_time(&verifier, &unknown).await,
        Err(RefusalReason::UnknownKey)
    );
    let requests = provider.requests_for("/keys");
    assert_eq!(requests.len(), 2);
    for (head, expected) in requests.iter().zip([
        &["accept", "accept-encoding", "host", "user-agent"][..],
        &[
            "accept",
            "accept-encoding",
            "cache-control",
            "host",
            "if-none-match",
            "user-agent",
        ],
    ]) {
        let mut fields: Vec<&str> = head
            .lines()
            .skip(1)
            .filter_map(|line| Some(line.split_once(':')?.0))
            .collect();
        fields.sort_unstable();
        assert_eq!(fields, expected);
        tests::capture::assert_without(head, unknown.split('.'));
    }
}

#[tokio::test(start_paused = true)]
async fn keys_outlive_an_outage_of_a_day_beyond_their_lifetime_and_no_more() {
    let (provider, keys, verifier, _) = start().await;
    provider.behave(Behavior::Down);
    sleep(24 * HOUR).await;
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
    sleep(11 * MINUTE).await;
    let refusal = verifier.verify(&token(first())).unwrap_err();
    assert_eq!(refusal.reason(), RefusalReason::KeysUnavailable);
    assert!(refusal.to_string().contains("for too long"), "{refusal}");
    assert!(!keys.status().is_ready());

    provider.behave(Behavior::Serves(""));
    sleep(MINUTE).await;
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_hour_without_its_provider_costs_an_issuer_nothing() {
    let (provider, keys, verifier, clock) = start().await;
    provider.behave(Behavior::Down);
    let end = clock.elapsed() + HOUR;
    while clock.elapsed() < end {
        assert_eq!(verdict(&verifier, &token(first())), Ok(()));
        sleep(MINUTE).await;
    }
    let fetches = fetching(&keys).fetches;
    assert!((50..=120).contains(&fetches), "{fetches}");
}

#[tokio::test(start_paused = true)]
async fn the_time_that_keys_outlive_an_outage_can_be_set() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let keys = provider.at(&clock).stale_if_error(Duration::ZERO);
    let keys = keys.build().unwrap();
    keys.ready().await;
    provider.behave(Behavior::Answers("500 Internal Server Error"));
    let verifier = verifier(&keys, &clock);
    sleep(9 * MINUTE).await;
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
    sleep(MINUTE).await;
    assert_eq!(
        verdict(&verifier, &token(first())),
        Err(RefusalReason::KeysUnavailable)
    );
}

#[tokio::test(start_paused = true)]
async fn pauses_between_failures_grow_to_a_minute() {
    let (provider, keys, ..) = start().await;
    provider.behave(Behavior::Answers("503 Service Unavailable"));
    sleep(10 * MINUTE).await;
    let before = provider.fetches();
    sleep(HOUR).await;
    let fetches = provider.fetches() - before;
    assert!((60..=121).contains(&fetches), "{fetches}");
    assert!(fetching(&keys).failures >= 60);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_asks_for_a_pause_gets_it_up_to_a_minute() {
    for answer in [
        "429 Too Many Requests\r\nretry-after: 50",
        "429 Too Many Requests\r\nretry-after: 99999999",
        "503 Service Unavailable\r\ndate: Tue, 03 Feb 2026 04:05:06 GMT\r\n\
         retry-after: Tue, 03 Feb 2026 04:35:06 GMT",
    ] {
        let (provider, keys, ..) = start().await;
        provider.behave(Behavior::Answers(answer));
        while fetching(&keys).failures == 0 {
            sleep(SECOND).await;
        }
        let before = provider.fetches();
        sleep(48 * SECOND).await;
        assert_eq!(provider.fetches(), before, "{answer}");
        sleep(14 * SECOND).await;
        assert_eq!(provider.fetches(), before + 1, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_from_a_time_that_a_corrected_clock_has_not_reached_are_fetched_anew() {
    let clock = tests::time::clock();
    let provider = Provider::of(first());
    let keys = provider.at(&TestClock::start()).clock(clock.clone());
    clock.advance(10 * 365 * 24 * HOUR);
    let keys = keys.build().unwrap();
    keys.ready().await;
    provider.behave(Behavior::Down);
    clock.set(NOW);
    assert!(!keys.status().is_ready());
    provider.behave(Behavior::Serves(""));
    sleep(MINUTE + SECOND).await;
    assert!(keys.status().is_ready());
    // A correction by less is none of its business.
    clock.set(NOW.saturating_sub(MINUTE));
    assert!(keys.status().is_ready());
}

#[tokio::test(start_paused = true)]
async fn what_panics_beside_a_fetch_does_not_end_the_fetching() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static BROKEN: AtomicBool = AtomicBool::new(false);
    let clock = TestClock::start();
    let provider = Provider::of(first());
    let keys = provider.at(&clock).clock(move || {
        assert!(
            !BROKEN.load(Ordering::SeqCst),
            "a clock that is broken for a while"
        );
        tower_jwks::Clock::now(&clock)
    });
    let keys = keys.build().unwrap();
    keys.ready().await;
    BROKEN.store(true, Ordering::SeqCst);
    sleep(HOUR).await;
    BROKEN.store(false, Ordering::SeqCst);
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    sleep(20 * MINUTE).await;
    assert_eq!(verdict(&verifier(&keys, &clock), &token(&second)), Ok(()));
}

#[test]
fn a_runtime_that_is_gone_is_told_of() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let (_, keys, verifier, _) = runtime.block_on(start());
    drop(runtime);
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
    assert!(keys.refresh_for(Some("new"), Algorithm::ES256).is_none());
    let message = last_error(&keys);
    assert!(message.contains("its runtime"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_keys_ends_when_nobody_fetches_them_any_more() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.behave(Behavior::Down);
    let keys = provider.at(&clock).build().unwrap();
    let ready = keys.ready();
    drop(keys);
    ready.await;
}

#[tokio::test(start_paused = true)]
async fn a_304_without_a_lifetime_leaves_the_keys_the_one_they_had() {
    let clock = TestClock::start();
    let provider = Provider::of(first());
    provider.behave(Behavior::Serves("cache-control: max-age=3600\r\n"));
    let keys = provider.at(&clock).build().unwrap();
    keys.ready().await;
    provider.behave(Behavior::Serves(""));
    sleep(HOUR).await;
    let fetches = provider.fetches();
    sleep(40 * MINUTE).await;
    assert!(
        fetches == 2 && provider.fetches() <= 3,
        "{fetches}, {}",
        provider.fetches()
    );
}

#[tokio::test(start_paused = true)]
async fn the_fetching_ends_with_the_last_handle() {
    let (provider, keys, verifier, _) = start().await;
    let before = provider.fetches();
    drop(keys);
    sleep(HOUR).await;
    assert!(provider.fetches() > before);
    drop(verifier);
    let before = provider.fetches();
    sleep(HOUR).await;
    assert_eq!(provider.fetches(), before);
}
