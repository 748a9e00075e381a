//! Changes of a real directory, noticed.

use super::*;

/// Far more than it takes.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(20);
    time::timeout(limit, future).await.expect("it never came")
}

/// The first watch ends when the watcher stands.
async fn watched(directory: &TestDirectory) -> DirectoryStore {
    let store = DirectoryStore::new(directory.path());
    soon(store.watch()).await;
    store
}

#[test]
fn what_another_writes_wakes() {
    let directory = TestDirectory::new("wakes");
    runtime().block_on(async {
        let store = watched(&directory).await;
        let other = DirectoryStore::new(directory.path());
        for epoch in 1..=3 {
            let watch = store.watch();
            let read = (epoch > 1).then(|| epoch - 1);
            let swap = other.compare_and_swap(read, ring(epoch)).await;
            assert_eq!(swap, Ok(Swap::Done));
            soon(watch).await;
            assert_eq!(store.load().await.unwrap().unwrap().epoch(), epoch);
        }
    });
}

#[test]
#[cfg(unix)]
fn an_exchanged_link_wakes() {
    use std::os::unix::fs::symlink;
    let directory = TestDirectory::new("link-wakes");
    let at = |name: &str| directory.path().join(name);
    symlink("..1", at("..data")).unwrap();
    symlink("..data/ring.json", at("ring.json")).unwrap();
    runtime().block_on(async {
        let store = watched(&directory).await;
        let watch = store.watch();
        symlink("..2", at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        soon(watch).await;
    });
}

#[test]
fn a_directory_that_is_made_anew_is_watched_again() {
    let directory = TestDirectory::new("anew");
    runtime().block_on(async {
        let store = watched(&directory).await;
        let watch = store.watch();
        fs::remove_dir(directory.path()).unwrap();
        soon(watch).await;
        fs::create_dir(directory.path()).unwrap();
        soon(store.watch()).await;
        let watch = store.watch();
        fs::write(directory.path().join("ring.json"), document(1)).unwrap();
        soon(watch).await;
    });
}

#[test]
fn what_cannot_be_watched_never_wakes() {
    let directory = TestDirectory::new("unwatched");
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.unwrap().block_on(async {
        let store = DirectoryStore::new(directory.path().join("is/not/there"));
        let day = Duration::from_secs(24 * 60 * 60);
        assert!(time::timeout(day, store.watch()).await.is_err());
    });
}
