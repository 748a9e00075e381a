//! How a source is asked: seldom, not for long, and never believed to have said what it did not say.

use super::*;

/// Answers after this time, for everyone.
fn after(delay: Duration, asked: &Count) -> ApplicationLayer {
    let asked = asked.clone();
    ApplicationLayer::new(move |_: ApplicationQuery| {
        asked.one_more();
        async move {
            sleep(delay).await;
            Ok(Some(shop()))
        }
    })
}

#[tokio::test(start_paused = true)]
async fn what_a_source_said_is_believed_for_a_minute() {
    let asked = Count::default();
    let layer = after(Duration::ZERO, &asked);
    for _ in 0..3 {
        assert_eq!(
            with_applications(layer.clone(), of_shop()).await.status(),
            200
        );
    }
    assert_eq!(asked.get(), 1);
    tokio::time::advance(Duration::from_secs(61)).await;
    with_applications(layer.clone(), of_shop()).await;
    assert_eq!(asked.get(), 2);

    let other = get_with(&signed(&json!({"client_id": "other"})));
    with_applications(layer.clone(), other).await;
    assert_eq!(asked.get(), 3);

    for _ in 0..2 {
        with_applications(layer.clone().no_cache(), of_shop()).await;
    }
    assert_eq!(asked.get(), 5);
}

#[tokio::test(start_paused = true)]
async fn that_there_is_no_application_is_believed_for_ten_seconds() {
    let asked = Count::default();
    let counting = asked.clone();
    let layer = ApplicationLayer::new(move |_: ApplicationQuery| {
        let first = counting.one_more() == 0;
        async move { Ok((!first).then(|| shop().with_subscription(Subscription::Active))) }
    })
    .require_subscription();
    for _ in 0..2 {
        let answer = with_applications(layer.clone(), of_shop()).await;
        assert_eq!(reason(&answer), RefusalReason::NotSubscribed);
    }
    assert_eq!(asked.get(), 1);
    tokio::time::advance(Duration::from_secs(11)).await;
    assert_eq!(with_applications(layer, of_shop()).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_of_one_application_ask_once() {
    let asked = Count::default();
    let layer = after(Duration::from_millis(300), &asked);
    let service = ServiceBuilder::new()
        .layer(access())
        .layer(layer)
        .layer(minting())
        .service(service_fn(upstream));
    let answers: Vec<_> = (0..1000)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move { send(&service, of_shop()).await.status() })
        })
        .collect();
    for answer in answers {
        assert_eq!(answer.await.unwrap(), 200);
    }
    assert_eq!(asked.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_callers_of_a_source_that_fails_ask_once_and_wait_no_longer_than_it_took() {
    for hangs in [false, true] {
        let asked = Count::default();
        let counting = asked.clone();
        let layer = ApplicationLayer::new(move |_: ApplicationQuery| {
            counting.one_more();
            async move {
                sleep(Duration::from_millis(if hangs { 60_000 } else { 10 })).await;
                Err(Refusal::source_unavailable())
            }
        });
        let start = tokio::time::Instant::now();
        let answers: Vec<_> = (0..1000)
            .map(|_| tokio::spawn(with_applications(layer.clone(), of_shop())))
            .collect();
        for answer in answers {
            assert_eq!(answer.await.unwrap().status(), 503);
        }
        let limit = Duration::from_millis(if hangs { 2001 } else { 20 });
        assert!(start.elapsed() < limit, "{:?}", start.elapsed());
        assert_eq!(asked.get(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_is_finished_though_whoever_asked_it_hangs_up() {
    let asked = Count::default();
    let layer = after(Duration::from_millis(300), &asked);
    let start = tokio::time::Instant::now();
    let first = tokio::spawn(with_applications(layer.clone(), of_shop()));
    let second = tokio::spawn(with_applications(layer.clone(), of_shop()));
    sleep(Duration::from_millis(100)).await;
    first.abort();
    assert_eq!(second.await.unwrap().status(), 200);
    assert_eq!(start.elapsed(), Duration::from_millis(300));
    assert_eq!(with_applications(layer, of_shop()).await.status(), 200);
    assert_eq!(asked.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_in_without_a_subscription_by_hanging_up_again_and_again() {
    let asked = Count::default();
    let layer = after(Duration::from_millis(300), &asked)
        .require_subscription()
        .fail_open();
    let waits = tokio::spawn(with_applications(layer.clone(), of_shop()));
    for _ in 0..100 {
        let hangs_up = tokio::spawn(with_applications(layer.clone(), of_shop()));
        sleep(Duration::from_millis(25)).await;
        hangs_up.abort();
    }
    let answer = waits.await.unwrap();
    assert_eq!(reason(&answer), RefusalReason::NotSubscribed);
    assert_eq!(asked.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_is_one_that_fails_and_is_asked_again() {
    let asked = Count::default();
    let counting = asked.clone();
    let layer = ApplicationLayer::new(move |_: ApplicationQuery| {
        let first = counting.one_more() == 0;
        async move {
            sleep(Duration::from_millis(10)).await;
            assert!(!first, "as it is meant to");
            Ok(Some(shop()))
        }
    });
    let waiting: Vec<_> = (0..3)
        .map(|_| tokio::spawn(with_applications(layer.clone(), of_shop())))
        .collect();
    for waits in waiting {
        let answer = waits.await.unwrap();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(reason(&answer), RefusalReason::SourceUnavailable);
    }
    assert_eq!(with_applications(layer, of_shop()).await.status(), 200);
    assert_eq!(asked.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_waited_for_two_seconds() {
    let asked = Count::default();
    let layer = after(Duration::from_secs(3600), &asked);
    let start = tokio::time::Instant::now();
    let answer = with_applications(layer.clone(), of_shop()).await;
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reason(&answer), RefusalReason::SourceUnavailable);
    assert_eq!(answer.field("retry-after"), Some("5"));

    let quick = layer.time_limit(Duration::from_millis(50));
    with_applications(quick, of_shop()).await;
    assert!(start.elapsed() < Duration::from_millis(2100));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_his_own_layer_says_for_a_question_of_anothers() {
    let asked = Count::default();
    let layer = after(Duration::from_secs(3600), &asked);
    let patient = tokio::spawn(with_applications(layer.clone(), of_shop()));
    tokio::task::yield_now().await;
    let start = tokio::time::Instant::now();
    let quick = layer.time_limit(Duration::from_millis(50));
    let answer = with_applications(quick, of_shop()).await;
    assert_eq!(reason(&answer), RefusalReason::SourceUnavailable);
    // By tokio's timer, to the millisecond.
    assert!((50..=51).contains(&start.elapsed().as_millis()));
    assert_eq!(patient.await.unwrap().status(), 503);
    assert_eq!(asked.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_answered_503_and_believed_for_a_second() {
    let asked = Count::default();
    let counting = asked.clone();
    let layer = ApplicationLayer::new(move |_: ApplicationQuery| {
        let first = counting.one_more() == 0;
        async move {
            match first {
                true => Err(Refusal::source_unavailable().with_detail("the database is down")),
                false => Ok(Some(shop())),
            }
        }
    });
    let answer = with_applications(layer.clone(), of_shop()).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(!String::from_utf8_lossy(&answer.body).contains("database"));
    let answer = with_applications(layer.clone(), of_shop()).await;
    assert_eq!(
        (answer.status(), asked.get()),
        (StatusCode::SERVICE_UNAVAILABLE, 1)
    );
    tokio::time::advance(Duration::from_millis(1001)).await;
    assert_eq!(with_applications(layer, of_shop()).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_fails_can_be_gone_without_where_that_is_set() {
    let hangs = after(Duration::from_secs(3600), &Count::default());
    let layer = hangs.require_subscription().fail_open();
    let answer = with_applications(layer, of_shop()).await;
    let claims = claims_of(&answer.backend_jwt());
    assert_eq!(claims.get(format!("{P}applicationid")), None);

    // What it refuses of its own accord stays refused.
    let layer = ApplicationLayer::new(async |_: ApplicationQuery| Err(Refusal::forbidden()));
    let answer = with_applications(layer.fail_open(), of_shop()).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn no_more_is_kept_than_the_cache_may_hold() {
    let asked = Count::default();
    let layer = after(Duration::ZERO, &asked).cache(8, 1 << 20);
    for round in 0..2 {
        for client in 0..100 {
            let token = signed(&json!({"client_id": format!("client {client}")}));
            with_applications(layer.clone(), get_with(&token)).await;
        }
        assert!(asked.get() > 92 * (round + 1), "{}", asked.get());
    }
}

/// A place under a limit is not held by requests that wait for a source.
#[tokio::test(start_paused = true)]
async fn a_request_that_waits_holds_no_place_of_the_service_behind() {
    let layer = after(Duration::from_secs(1), &Count::default());
    let service = ServiceBuilder::new()
        .layer(access())
        .layer(layer)
        .concurrency_limit(1)
        .service(service_fn(upstream));
    let waits = tokio::spawn({
        let service = service.clone();
        async move { send(&service, of_shop()).await.status() }
    });
    tokio::task::yield_now().await;
    let start = tokio::time::Instant::now();
    assert_eq!(send(&service, get(&[])).await.status(), 200);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(waits.await.unwrap(), 200);
}

#[tokio::test]
async fn what_is_believed_for_ever_is_believed() {
    let asked = Count::default();
    let layer = after(Duration::ZERO, &asked)
        .fresh_for(Duration::MAX)
        .time_limit(Duration::MAX);
    for _ in 0..2 {
        assert_eq!(
            with_applications(layer.clone(), of_shop()).await.status(),
            200
        );
    }
    assert_eq!(asked.get(), 1);
}
