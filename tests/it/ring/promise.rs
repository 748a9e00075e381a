//! What processes with different policies promise together: the longer time of each.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_key_is_kept_for_the_longest_token_that_any_process_signs() {
    let clock = clock();
    let store = MemoryStore::new();
    let ring = open(store.clone(), &clock).await;
    let a = signs(&ring);
    let longer = policy().token_life(secs(TOKEN_LIFE + 500)).build().unwrap();
    let other = opening(store, &clock).policy(longer).await.unwrap();
    settled().await;
    let both = [&ring, &other];

    let turn = ring.rotate().await.unwrap();
    settled().await;
    until(&clock, turn, &both).await;
    until(&clock, after(turn, AFTERLIFE), &both).await;
    assert!(published(&ring).contains(&a), "a longer token may live");
    until(&clock, after(turn, AFTERLIFE + 500 - 1), &both).await;
    assert!(published(&ring).contains(&a));
    until(&clock, after(turn, AFTERLIFE + 500), &both).await;
    assert!(!published(&ring).contains(&a));
    // The promise outlives who asked for it.
    drop(other);
    let b = signs(&ring);
    let turn = ring.rotate().await.unwrap();
    until(&clock, after(turn, AFTERLIFE + 500 - 1), &[&ring]).await;
    assert!(published(&ring).contains(&b));
    // What each may sign is its own policy's.
    assert_eq!(ring.token_life(), Some(secs(TOKEN_LIFE)));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_announced_for_the_longest_age_that_any_process_tells() {
    let clock = clock();
    let store = MemoryStore::new();
    let ring = open(store.clone(), &clock).await;
    let longer = policy().max_age(secs(MAX_AGE + 700)).build().unwrap();
    let other = opening(store.clone(), &clock).policy(longer).await.unwrap();
    settled().await;
    assert_eq!(ring.rotate().await, Ok(after(NOW, ANNOUNCEMENT + 700)));
    let age = async |ring: &KeyRing| {
        let answer = fetch(ring).await;
        answer.field("cache-control").unwrap().to_owned()
    };
    assert_eq!(age(&other).await, "public, max-age=1000");
    assert_eq!(age(&ring).await, "public, max-age=300");
    // A shorter one than was promised may be told.
    let shorter = policy().max_age(secs(60)).build().unwrap();
    let third = opening(store, &clock).policy(shorter).await.unwrap();
    assert_eq!(age(&third).await, "public, max-age=60");
    assert_eq!(third.rotate().await, Ok(after(NOW, ANNOUNCEMENT + 700)));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_would_promise_more_signs_nothing_before_the_ring_does() {
    let clock = clock();
    let store = Faulty::new();
    let ring = open(store.clone(), &clock).await;
    let longer = || policy().token_life(secs(TOKEN_LIFE + 1)).build().unwrap();

    store.becomes(Fault::Unwritable);
    let opening = opening(store.clone(), &clock);
    let error = opening.policy(longer()).await.unwrap_err();
    assert_eq!(error.to_string(), "the store is read-only");
    // With no more than what is promised it is good enough.
    let same = self::opening(store.clone(), &clock).await.unwrap();
    assert_eq!(signs(&same), signs(&ring));

    store.becomes(Fault::None);
    let opening = self::opening(store.clone(), &clock);
    let before = epoch(&ring);
    let longer = opening.policy(longer()).await.unwrap();
    assert!(epoch(&longer) > before, "it was written first");
    assert_eq!(signs(&longer), signs(&ring));
}
