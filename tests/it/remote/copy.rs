//! The copy on disk, which bridges an outage at the start.

use super::*;
use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// A directory that is gone after the test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "keys-{}-{}",
            process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("idp.json")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Waits until the copy is there, which is written after the keys are.
async fn written(file: &Path) -> String {
    loop {
        if let Ok(text) = fs::read_to_string(file) {
            return text;
        }
        sleep(SECOND).await;
    }
}

/// A provider that is down, and keys that start from the copy.
async fn start_from(file: &Path, clock: &TestClock) -> (Provider, RemoteJwks) {
    let provider = Provider::of(first());
    provider.behave(Behavior::Down);
    let keys = provider.at(clock).last_good_copy(file).build().unwrap();
    while fetching(&keys).failures == 0 {
        sleep(SECOND).await;
    }
    (provider, keys)
}

async fn write_copy(file: &Path, clock: &TestClock) {
    let provider = Provider::of(first());
    let keys = provider.at(clock).last_good_copy(file).build().unwrap();
    keys.ready().await;
    written(file).await;
}

#[tokio::test(start_paused = true)]
async fn a_program_starts_while_its_provider_is_down() {
    let (directory, clock) = (Directory::new(), TestClock::start());
    write_copy(&directory.file(), &clock).await;
    let before = clock.elapsed();
    let (provider, keys) = start_from(&directory.file(), &clock).await;
    let verifier = verifier(&keys, &clock);
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
    assert!(fetching(&keys).is_from_last_good_copy());
    assert!(fetching(&keys).age.unwrap() <= clock.elapsed() - before + SECOND);

    // Once it is up, what it says counts.
    let second = new_key(Algorithm::ES256);
    provider.publish([second.jwk().clone()]);
    provider.behave(Behavior::Serves(""));
    sleep(MINUTE).await;
    assert_eq!(verdict(&verifier, &token(&second)), Ok(()));
    assert_eq!(
        verdict(&verifier, &token(first())),
        Err(RefusalReason::UnknownKey)
    );
    while !fs::read_to_string(directory.file())
        .unwrap()
        .contains(second.kid())
    {
        sleep(SECOND).await;
    }
    let names = fs::read_dir(&directory.0).unwrap().count();
    assert_eq!(names, 1, "nothing is left beside it");
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_trusted_no_longer_than_the_keys_would_have_been() {
    let (directory, clock) = (Directory::new(), TestClock::start());
    write_copy(&directory.file(), &clock).await;
    sleep(24 * HOUR).await;
    let (_, keys) = start_from(&directory.file(), &clock).await;
    let verifier = verifier(&keys, &clock);
    assert_eq!(verdict(&verifier, &token(first())), Ok(()));
    sleep(11 * MINUTE).await;
    assert_eq!(
        verdict(&verifier, &token(first())),
        Err(RefusalReason::KeysUnavailable)
    );
    let (_, keys) = start_from(&directory.file(), &clock).await;
    assert!(!keys.status().is_ready());
    // With stricter settings than it was made under, those count.
    write_copy(&directory.file(), &clock).await;
    sleep(HOUR).await;
    let strict = Provider::of(first());
    strict.behave(Behavior::Down);
    let strict = strict.at(&clock).last_good_copy(directory.file());
    let strict = strict
        .lifetime(MINUTE..=10 * MINUTE)
        .stale_if_error(MINUTE)
        .build()
        .unwrap();
    sleep(SECOND).await;
    assert!(!strict.status().is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_is_not_right_is_not_used_and_is_named_in_the_log() {
    let (directory, clock) = (Directory::new(), TestClock::start());
    let file = directory.file();
    write_copy(&file, &clock).await;
    let good = fs::read_to_string(&file).unwrap();
    let time = NOW.as_secs().to_string();
    let later = NOW.saturating_add(HOUR).as_secs().to_string();
    for (text, expected) in [
        (good[..good.len() / 2].to_owned(), "is no copy of keys"),
        (
            good.replace(ISSUER, "https://another.example.com"),
            "is a copy of the keys of",
        ),
        (good.replacen(&time, &later, 1), "from the future"),
        (
            good.replacen(r#""kty":"EC""#, r#""kty":"XX""#, 1),
            "has no usable key",
        ),
        (" ".repeat(300 * 1024), "is no copy of keys"),
    ] {
        let log = tests::capture::Capture::start();
        fs::write(&file, &text).unwrap();
        let (_, keys) = start_from(&file, &clock).await;
        assert!(!keys.status().is_ready(), "{text:.40}");
        assert!(log.text().contains(expected), "{expected}: {}", log.text());
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_keys_at_another_place_is_not_used_but_replaced() {
    let (directory, clock) = (Directory::new(), TestClock::start());
    let file = directory.file();
    write_copy(&file, &clock).await;
    let provider = Provider::of(first());
    provider.behave(Behavior::Down);
    let moved = RemoteJwks::at(ISSUER, "https://new.example.com/keys").client(provider.clone());
    let keys = moved.clock(clock).last_good_copy(&file).build().unwrap();
    sleep(SECOND).await;
    assert!(!keys.status().is_ready());
    provider.behave(Behavior::Serves(""));
    keys.ready().await;
    while !fs::read_to_string(&file)
        .unwrap()
        .contains("new.example.com")
    {
        sleep(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_something_else_is_left_alone() {
    let (directory, clock) = (Directory::new(), TestClock::start());
    let log = tests::capture::Capture::start();
    fs::write(directory.file(), "something that somebody needs").unwrap();
    let provider = Provider::of(first());
    let keys = provider.at(&clock).last_good_copy(directory.file());
    let keys = keys.build().unwrap();
    keys.ready().await;
    sleep(HOUR).await;
    let text = fs::read_to_string(directory.file()).unwrap();
    assert_eq!(text, "something that somebody needs");
    assert!(log.text().contains("is no copy of keys"));
    // An empty one is nothing.
    fs::write(directory.file(), "").unwrap();
    sleep(HOUR).await;
    assert!(
        fs::read_to_string(directory.file())
            .unwrap()
            .contains(ISSUER)
    );
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_cannot_be_written_is_no_reason_to_stop() {
    let (directory, clock) = (Directory::new(), TestClock::start());
    let log = tests::capture::Capture::start();
    let provider = Provider::of(first());
    let file = directory.0.join("nowhere").join("idp.json");
    let keys = provider.at(&clock).last_good_copy(&file).build().unwrap();
    keys.ready().await;
    while !log.text().contains("copy of the issuer's keys") {
        sleep(SECOND).await;
    }
    assert_eq!(verdict(&verifier(&keys, &clock), &token(first())), Ok(()));
    sleep(HOUR).await;
    assert!(provider.fetches() > 4);
}
