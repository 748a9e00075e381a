//! Rings of many processes over one store.

use super::*;
use std::collections::BTreeSet;

/// Opens so many rings, all at once.
async fn open_many(count: usize, store: &MemoryStore, clock: &ManualClock) -> Vec<KeyRing> {
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let opening = opening(store.clone(), clock);
            tokio::spawn(async move { opening.await.unwrap() })
        })
        .collect();
    let mut rings = Vec::new();
    for task in tasks {
        rings.push(task.await.unwrap());
    }
    settled().await;
    for ring in &rings {
        look(ring).await;
    }
    rings
}

/// That all of them have the same keys, sign with the same, and give out the same document.
async fn assert_agreed(rings: &[KeyRing]) {
    let expected = (states(&rings[0]), signs(&rings[0]), published(&rings[0]));
    let tag = fetch(&rings[0]).await.field("etag").map(str::to_owned);
    for ring in rings {
        assert_eq!((states(ring), signs(ring), published(ring)), expected);
        assert_eq!(fetch(ring).await.field("etag").map(str::to_owned), tag);
    }
}

#[tokio::test(start_paused = true)]
async fn eight_that_open_a_store_at_once_make_one_ring() {
    let store = MemoryStore::new();
    let rings = open_many(8, &store, &clock()).await;
    assert_agreed(&rings).await;
    assert_eq!(states(&rings[0]).len(), 2, "one to sign, one in reserve");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_do_eight_on_four_threads_make_two() {
    let store = MemoryStore::new();
    let rings = open_many(8, &store, &clock()).await;
    for ring in &rings {
        ring.refresh().await.unwrap();
    }
    assert_agreed(&rings).await;
    assert_eq!(states(&rings[0]).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_key_is_made_twice_however_many_rotate() {
    for count in [2, 8] {
        let clock = clock();
        let store = MemoryStore::new();
        let rings = open_many(count, &store, &clock).await;
        let mut ever: BTreeSet<String> = published(&rings[0]).into_iter().collect();
        for rotation in 1..=3 {
            clock.set(after(NOW, rotation * INTERVAL));
            // All of them find at the same time that it is due.
            let tasks: Vec<_> = rings
                .iter()
                .cloned()
                .map(|ring| tokio::spawn(async move { ring.refresh().await }))
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            settled().await;
            for ring in &rings {
                look(ring).await;
                ever.extend(published(ring));
            }
            assert_agreed(&rings).await;
        }
        assert_eq!(ever.len(), 2 + 3, "{count} rings");
    }
}

#[tokio::test(start_paused = true)]
async fn all_who_are_told_to_rotate_at_once_tell_the_same_time() {
    let clock = clock();
    let rings = open_many(8, &MemoryStore::new(), &clock).await;
    let tasks: Vec<_> = rings
        .iter()
        .cloned()
        .map(|ring| tokio::spawn(async move { ring.rotate().await }))
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(after(NOW, ANNOUNCEMENT)));
    }
    settled().await;
    for ring in &rings {
        look(ring).await;
    }
    assert_agreed(&rings).await;
    assert_eq!(states(&rings[0]).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn each_changes_over_at_the_time_that_one_of_them_was_told() {
    let clock = clock();
    let rings = open_many(2, &MemoryStore::new(), &clock).await;
    let [one, other] = &rings[..] else { panic!() };
    let (a, b) = (signs(one), the(KeyState::Pending, one));
    let turn = one.rotate().await.unwrap();
    until(
        &clock,
        after(turn, 0).saturating_sub(secs(1)),
        &[one, other],
    )
    .await;
    assert_eq!((signs(one), signs(other)), (a.clone(), a));
    clock.set(turn);
    assert_eq!((signs(one), signs(other)), (b.clone(), b));
}
