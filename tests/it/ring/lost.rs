//! Stores that do not answer, or answer and nobody hears it.

use super::*;
use std::collections::BTreeSet;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_rotation_whose_answer_is_lost_happens_once() {
    let (store, clock) = (Faulty::new(), clock());
    let ring = open(store.clone(), &clock).await;
    let before = published(&ring);
    store.becomes(Fault::LosesAnswers);
    let error = ring.rotate().await.unwrap_err();
    assert_eq!(error.to_string(), "the connection was closed");
    assert_eq!(published(&ring), before, "it does not know");

    store.becomes(Fault::None);
    look(&ring).await;
    let now = published(&ring);
    assert_eq!(now.len(), 3);
    assert_eq!(now[..2], before);
    assert_eq!(ring.rotate().await, Ok(after(NOW, ANNOUNCEMENT)));
    settled().await;
    assert_eq!(published(&ring), now);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_whose_answer_is_lost_is_in_force_with_the_next_look() {
    let (store, clock) = (Faulty::new(), clock());
    let ring = open(store.clone(), &clock).await;
    until(&clock, after(NOW, ANNOUNCEMENT), &[&ring]).await;
    let (a, b) = (signs(&ring), the(KeyState::Pending, &ring));
    store.becomes(Fault::LosesAnswers);
    assert!(ring.revoke(&a).await.is_err());
    store.becomes(Fault::None);
    look(&ring).await;
    assert_eq!(signs(&ring), b);
    assert!(!published(&ring).contains(&a));
}

#[tokio::test(start_paused = true)]
async fn a_ring_whose_making_nobody_hears_of_is_there_for_the_next_who_comes() {
    let (store, clock) = (Faulty::new(), clock());
    store.becomes(Fault::LosesAnswers);
    let error = opening(store.clone(), &clock).await.unwrap_err();
    assert_eq!(error.to_string(), "the connection was closed");
    let made = store.has().await;
    store.becomes(Fault::None);
    let ring = open(store.clone(), &clock).await;
    let document = String::from_utf8(made.secret_document().to_vec()).unwrap();
    assert!(document.contains(&signs(&ring)));
    assert_eq!(published(&ring).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_key_is_made_for_each_answer_that_is_lost() {
    let (store, clock) = (Faulty::new(), clock());
    let ring = open(store.clone(), &clock).await;
    let mut ever: BTreeSet<String> = published(&ring).into_iter().collect();
    store.becomes(Fault::LosesAnswers);
    clock.set(after(NOW, INTERVAL));
    for _ in 0..5 {
        let _ = ring.refresh().await;
        settled().await;
    }
    store.becomes(Fault::None);
    look(&ring).await;
    ever.extend(published(&ring));
    assert_eq!(ever.len(), 3);
    assert_eq!(states(&ring).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_given_up_after_15_seconds() {
    let (store, clock) = (Faulty::new(), clock());
    let ring = open(store.clone(), &clock).await;
    for (fault, text) in [
        (
            Fault::Hangs,
            "the store could not be read within 15 seconds",
        ),
        (
            Fault::HangsWhenWritten,
            "the store could not be written within 15 seconds",
        ),
    ] {
        store.becomes(fault);
        let start = Instant::now();
        let error = ring.rotate().await.unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(start.elapsed().as_secs(), 15);
        // Nor does it keep anybody from what is known.
        assert!(ring.signing_key().is_ok());
        store.becomes(Fault::None);
        settled().await;
    }
    store.becomes(Fault::Hangs);
    let start = Instant::now();
    assert!(opening(store.clone(), &clock).await.is_err());
    assert_eq!(start.elapsed().as_secs(), 15);
}
