//! When keys change, to the second.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_new_ring_signs_at_once_and_has_a_key_in_reserve() {
    let ring = open(MemoryStore::new(), &clock()).await;
    let signer = signs(&ring);
    let reserve = the(KeyState::Pending, &ring);
    assert_eq!(the(KeyState::Active, &ring), signer);
    assert_eq!(published(&ring), [signer, reserve]);
}

#[tokio::test(start_paused = true)]
async fn keys_change_by_the_interval_to_the_second() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let (a, b) = (signs(&ring), the(KeyState::Pending, &ring));

    skip(&clock, after(NOW, INTERVAL - 1), &[&ring]).await;
    assert_eq!(signs(&ring), a);
    assert_eq!(published(&ring), [&*a, &*b]);

    let turn = after(NOW, INTERVAL);
    skip(&clock, turn, &[&ring]).await;
    assert_eq!(signs(&ring), b);
    let c = the(KeyState::Pending, &ring);
    assert_eq!(the(KeyState::Retiring, &ring), a);
    assert_eq!(published(&ring), [&*a, &*b, &*c]);

    until(&clock, after(turn, AFTERLIFE - 1), &[&ring]).await;
    assert_eq!(published(&ring), [&*a, &*b, &*c]);
    until(&clock, after(turn, AFTERLIFE), &[&ring]).await;
    assert_eq!(published(&ring), [&*b, &*c]);
    assert_eq!(
        states(&ring),
        [
            (b.clone(), KeyState::Active),
            (c.clone(), KeyState::Pending)
        ]
    );

    // And so on, by the same time.
    skip(&clock, after(turn, INTERVAL - 1), &[&ring]).await;
    assert_eq!(signs(&ring), b);
    skip(&clock, after(turn, INTERVAL), &[&ring]).await;
    assert_eq!(signs(&ring), c);
}

#[tokio::test(start_paused = true)]
async fn the_old_key_signs_until_the_time_that_a_rotation_by_call_tells() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let (a, b) = (signs(&ring), the(KeyState::Pending, &ring));

    clock.advance(secs(100));
    let turn = ring.rotate().await.unwrap();
    // The key has been published since the ring is there.
    assert_eq!(turn, after(NOW, ANNOUNCEMENT));
    assert_eq!(signs(&ring), a);
    until(&clock, after(NOW, 500), &[&ring]).await;
    assert_eq!(ring.rotate().await, Ok(turn), "it is under way already");

    until(&clock, after(NOW, ANNOUNCEMENT - 1), &[&ring]).await;
    assert_eq!(signs(&ring), a);
    // No look at the store, and no task, has a part in it.
    clock.set(turn);
    assert_eq!(signs(&ring), b);

    look(&ring).await;
    until(&clock, after(turn, AFTERLIFE - 1), &[&ring]).await;
    assert!(published(&ring).contains(&a));
    until(&clock, after(turn, AFTERLIFE), &[&ring]).await;
    assert!(!published(&ring).contains(&a));
    // The interval counts from then.
    skip(&clock, after(turn, INTERVAL - 1), &[&ring]).await;
    assert_eq!(signs(&ring), b);
    skip(&clock, after(turn, INTERVAL), &[&ring]).await;
    assert_ne!(signs(&ring), b);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_every_verifier_can_have_signs_as_soon_as_it_is_asked_to() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let b = the(KeyState::Pending, &ring);
    until(&clock, after(NOW, ANNOUNCEMENT), &[&ring]).await;
    assert_eq!(ring.rotate().await, Ok(clock.now()));
    assert_eq!(signs(&ring), b);
    settled().await;
    // Its own successor is announced first.
    assert_eq!(ring.rotate().await, Ok(after(clock.now(), ANNOUNCEMENT)));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_announced_from_when_it_was_read_not_from_when_it_was_made() {
    let clock = clock();
    let store = Faulty::new();
    let ring = opening(store.clone(), &clock).await.unwrap();
    // The key in reserve is in the store. That it is published cannot be dated yet.
    store.becomes(Fault::Unwritable);
    settled().await;
    clock.advance(secs(100));
    store.becomes(Fault::None);
    assert_eq!(ring.rotate().await, Ok(after(NOW, 100 + ANNOUNCEMENT)));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_kept_from_when_it_was_read_to_be_retired_not_from_when_it_was_decided() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let a = signs(&ring);
    let turn = ring.rotate().await.unwrap();
    settled().await;
    until(&clock, turn.saturating_sub(secs(1)), &[&ring]).await;
    // Nobody looks when it is time, and somebody may have signed with it until then.
    let looked = after(turn, 40);
    skip(&clock, looked, &[&ring]).await;
    until(&clock, after(looked, AFTERLIFE - 1), &[&ring]).await;
    assert!(published(&ring).contains(&a));
    until(&clock, after(looked, AFTERLIFE), &[&ring]).await;
    assert!(!published(&ring).contains(&a));
}

#[tokio::test(start_paused = true)]
async fn the_entity_tag_begins_with_the_epoch_and_the_age_is_that_of_the_policy() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let mut before = 0;
    let mut tags = Vec::new();
    ring.rotate().await.unwrap();
    settled().await;
    let steps = [0, ANNOUNCEMENT - 1, ANNOUNCEMENT, ANNOUNCEMENT + AFTERLIFE];
    for step in steps {
        until(&clock, after(NOW, step), &[&ring]).await;
        let answer = fetch(&ring).await;
        assert_eq!(answer.field("cache-control"), Some("public, max-age=300"));
        let tag = answer.field("etag").unwrap().to_owned();
        let (epoch, _) = tag.trim_matches('"').split_once('.').unwrap();
        let epoch: u64 = epoch.parse().unwrap();
        assert_eq!(Some(epoch), ring.status().epoch);
        assert!(epoch >= before, "{epoch} after {before}");
        before = epoch;
        tags.push(tag);
    }
    assert_eq!(tags[0], tags[1], "nothing has changed");
    assert_ne!(tags[2], tags[3], "a key is gone");
}

#[tokio::test(start_paused = true)]
async fn the_algorithm_is_that_of_the_ring_that_is_there() {
    let store = MemoryStore::new();
    let _ring = open(store.clone(), &clock()).await;
    let error = opening(store.clone(), &clock())
        .algorithm(Algorithm::ES256)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the ring in the store is for EdDSA, not ES256"
    );
    // Who asks for none gets what there is.
    let other = KeyRing::open(store).clock(clock()).await.unwrap();
    assert_eq!(other.algorithm(), ALGORITHM);
}

#[tokio::test(start_paused = true)]
async fn a_ring_that_is_only_looked_at_is_not_made_and_does_nothing_by_itself() {
    let clock = clock();
    let store = Faulty::new();
    let error = opening(store.clone(), &clock).by_hand().await.unwrap_err();
    assert_eq!(error.to_string(), "there is no ring in the store");

    let ring = open(store.clone(), &clock).await;
    drop(ring);
    settled().await;
    let before = store.has().await;
    clock.advance(secs(INTERVAL));
    let tool = opening(store.clone(), &clock).by_hand().await.unwrap();
    tokio::time::sleep(secs(10 * POLL)).await;
    let bytes = before.secret_document().to_vec();
    assert_eq!(store.has().await.secret_document(), bytes);
    assert_eq!(epoch(&tool), before.epoch());
    // How long a key signs is for those to say that sign.
    tool.refresh().await.unwrap();
    assert_eq!(store.has().await.epoch(), before.epoch());
    tool.rotate().await.unwrap();
    assert!(store.has().await.epoch() > before.epoch());
}

#[tokio::test(start_paused = true)]
async fn the_task_looks_at_the_store_by_itself_and_ends_with_the_last_handle() {
    let store = Faulty::new();
    let clock = clock();
    let ring = open(store.clone(), &clock).await;
    let before = signs(&ring);
    clock.advance(secs(INTERVAL));
    tokio::time::sleep(secs(2 * POLL)).await;
    assert_ne!(signs(&ring), before);

    drop(ring);
    let at_most = tokio::time::Instant::now() + secs(2 * POLL);
    tokio::time::sleep_until(at_most).await;
    let left = store.has().await.epoch();
    clock.advance(secs(INTERVAL));
    tokio::time::sleep(secs(10 * POLL)).await;
    assert_eq!(store.has().await.epoch(), left);
}
