//! What every store owes: one contract, and each store that is here under it.

use super::*;
use std::{
    fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicUsize, Ordering},
};
use tower_jwks::DirectoryStore;

/// A directory that is gone with the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "tower-jwks-ring-{}-{}",
            process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn document(epoch: u64, writer: usize) -> StoredRing {
    let json = format!(r#"{{"epoch":{epoch},"writer":{writer}}}"#);
    StoredRing::new(epoch, json.into())
}

async fn assert_has(store: &impl KeyStore, expected: &StoredRing) {
    let has = store.load().await.unwrap().unwrap();
    assert_eq!(has.epoch(), expected.epoch());
    assert_eq!(has.secret_document(), expected.secret_document());
}

/// That a store which has nothing yet is one that a ring can be kept in.
async fn store_contract<S: KeyStore + Clone>(store: S) {
    assert!(store.load().await.unwrap().is_none(), "there is none yet");
    let swap = store.compare_and_swap(Some(1), document(2, 0)).await;
    assert_eq!(swap, Ok(Swap::Conflict), "it was not read");
    assert!(store.load().await.unwrap().is_none());

    let first = document(1, 0);
    let swap = store.compare_and_swap(None, first.clone()).await;
    assert_eq!(swap, Ok(Swap::Done));
    let swap = store.compare_and_swap(None, document(1, 1)).await;
    assert_eq!(swap, Ok(Swap::Conflict), "once");
    assert_has(&store, &first).await;

    let second = document(2, 0);
    let swap = store.compare_and_swap(Some(1), second.clone()).await;
    assert_eq!(swap, Ok(Swap::Done));
    for read in [Some(1), Some(3), None] {
        let swap = store.compare_and_swap(read, document(4, 1)).await;
        assert_eq!(swap, Ok(Swap::Conflict), "{read:?} is not what there is");
        assert_has(&store, &second).await;
    }
    // A clone is the same store.
    assert_has(&store.clone(), &second).await;

    for epoch in 2..12 {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    let next = document(epoch + 1, writer);
                    (writer, store.compare_and_swap(Some(epoch), next).await)
                })
            })
            .collect();
        let mut done = Vec::new();
        for writer in writers {
            let (writer, swap) = writer.await.unwrap();
            match swap.unwrap() {
                Swap::Done => done.push(writer),
                Swap::Conflict => {}
            }
        }
        let [writer] = done[..] else {
            panic!("{done:?} have all written epoch {}", epoch + 1);
        };
        assert_has(&store, &document(epoch + 1, writer)).await;
    }
}

/// Of a store with nothing in it: that rings can be kept there.
async fn keeps_rings<S: KeyStore + Clone>(store: S) {
    let clock = clock();
    let opened: Vec<_> = (0..4)
        .map(|_| {
            let opening = opening(store.clone(), &clock);
            tokio::spawn(async move { opening.await.unwrap() })
        })
        .collect();
    let mut rings = Vec::new();
    for ring in opened {
        rings.push(ring.await.unwrap());
    }
    for _ in 0..2 {
        for ring in &rings {
            ring.refresh().await.unwrap();
        }
    }
    let (a, b) = (signs(&rings[0]), the(KeyState::Pending, &rings[0]));
    clock.set(after(NOW, ANNOUNCEMENT));
    rings[3].refresh().await.unwrap();
    rings[3].revoke(&a).await.unwrap();
    for ring in &rings {
        ring.refresh().await.unwrap();
        assert_eq!(signs(ring), b);
        assert!(!published(ring).contains(&a));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_memory_store_is_a_store() {
    store_contract(MemoryStore::new()).await;
    keeps_rings(MemoryStore::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_directory_is_a_store() {
    let directory = Directory::new();
    store_contract(DirectoryStore::new(&directory.0)).await;
    let directory = Directory::new();
    keeps_rings(DirectoryStore::new(&directory.0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_directory_is_one_store_however_often_it_is_named() {
    let directory = Directory::new();
    let [one, other] = [(); 2].map(|()| DirectoryStore::new(&directory.0));
    let swap = one.compare_and_swap(None, document(1, 0)).await;
    assert_eq!(swap, Ok(Swap::Done));
    let swap = other.compare_and_swap(None, document(1, 1)).await;
    assert_eq!(swap, Ok(Swap::Conflict));
    assert_has(&other, &document(1, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ring_outlives_its_processes() {
    let directory = Directory::new();
    let clock = clock();
    let ring = opening(DirectoryStore::new(&directory.0), &clock)
        .await
        .unwrap();
    ring.refresh().await.unwrap();
    let before = (signs(&ring), published(&ring));
    drop(ring);
    let ring = opening(DirectoryStore::new(&directory.0), &clock)
        .await
        .unwrap();
    assert_eq!((signs(&ring), published(&ring)), before);
}
