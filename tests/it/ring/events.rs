//! What is told of a ring while it lives.

use super::*;
use tests::capture::Capture;

/// The events since the last time.
struct Told {
    events: Capture,
    heard: usize,
}

impl Told {
    fn start() -> Self {
        Self {
            events: Capture::start(),
            heard: 0,
        }
    }

    /// What was told of the key, or of anything, by its level and text.
    fn since(&mut self) -> Vec<String> {
        let all = self.events.text();
        let new = all[self.heard..].to_owned();
        self.heard = all.len();
        let ours = new
            .lines()
            .filter_map(|line| line.split_once("tower_jwks: "));
        ours.map(|(level, text)| format!("{} {text}", level.trim()))
            .collect()
    }

    /// That these are told, once each.
    fn assert(&mut self, expected: &[String]) {
        let told = self.since();
        for event in expected {
            let times = told
                .iter()
                .filter(|told| told.starts_with(&**event))
                .count();
            assert_eq!(times, 1, "{event:?} in {told:#?}");
        }
        let loud = told.iter().filter(|event| !event.starts_with("DEBUG"));
        assert_eq!(loud.count(), expected.len(), "nothing else is: {told:#?}");
    }
}

/// Lets the task of a ring look at the store.
async fn polled() {
    tokio::time::sleep(secs(2 * POLL)).await;
}

#[tokio::test(start_paused = true)]
async fn the_life_of_a_key_is_told() {
    let clock = clock();
    let mut told = Told::start();
    let ring = open(MemoryStore::new(), &clock).await;
    let (a, b) = (signs(&ring), the(KeyState::Pending, &ring));
    let published = |kid: &str| format!("INFO a key is published, and signs later kid=\"{kid}\"");
    told.assert(&[published(&b)]);

    let turn = ring.rotate().await.unwrap();
    settled().await;
    let c = states(&ring)[2].0.clone();
    let next = format!("INFO a key is to sign next kid=\"{b}\"");
    told.assert(&[published(&c), next]);
    until(&clock, turn.saturating_sub(secs(1)), &[&ring]).await;
    told.assert(&[]);

    clock.set(turn);
    polled().await;
    told.assert(&[
        format!("INFO a key signs from now on kid=\"{b}\""),
        format!("INFO a key signs no more, and is published for its tokens kid=\"{a}\""),
    ]);

    until(&clock, after(turn, AFTERLIFE), &[&ring]).await;
    told.assert(&[format!("INFO a key is gone, as its tokens are kid=\"{a}\"")]);

    ring.revoke(&c).await.unwrap();
    settled().await;
    let d = the(KeyState::Pending, &ring);
    told.assert(&[format!("WARN a key was revoked kid=\"{c}\""), published(&d)]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_told_of_ever_more_seldom_and_once_when_it_is_back() {
    let clock = clock();
    let store = Faulty::new();
    let ring = open(store.clone(), &clock).await;
    let mut told = Told::start();
    store.becomes(Fault::Unreachable);
    let mut loud = Vec::new();
    for time in 1..=9 {
        ring.refresh().await.unwrap_err();
        let events = told.since();
        let warned = events.iter().any(|event| {
            event.starts_with("WARN the store of the keys is not to be had")
                && event.contains("error=no route to the store")
        });
        let said = events
            .iter()
            .any(|event| event.starts_with("DEBUG the store"));
        assert!(warned != said, "{time}: {events:?}");
        if warned {
            loud.push(time);
        }
    }
    assert_eq!(loud, [1, 2, 4, 8]);
    store.becomes(Fault::None);
    look(&ring).await;
    told.assert(&["INFO the store of the keys is to be had again times=9".into()]);
    look(&ring).await;
    told.assert(&[]);
}

#[tokio::test(start_paused = true)]
async fn nor_is_a_store_that_can_only_be_read_told_of_at_each_look() {
    let clock = clock();
    let store = Faulty::new();
    let ring = open(store.clone(), &clock).await;
    store.becomes(Fault::Unwritable);
    clock.set(after(NOW, INTERVAL));
    let mut told = Told::start();
    for _ in 1..=8 {
        ring.refresh().await.unwrap_err();
    }
    let events = told.since();
    let loud = events.iter().filter(|event| !event.starts_with("DEBUG"));
    assert_eq!(loud.count(), 4, "{events:#?}");
    let fault = ring.status().fault;
    assert_eq!(fault.as_deref(), Some("the store is read-only"));
    store.becomes(Fault::None);
    look(&ring).await;
    assert_eq!(ring.status().fault, None);
}

#[tokio::test(start_paused = true)]
async fn that_nothing_is_signed_is_told_once_and_that_it_is_again() {
    let clock = clock();
    let store = Faulty::new();
    let ring = open(store.clone(), &clock).await;
    store.becomes(Fault::Unreachable);
    polled().await;
    let mut told = Told::start();
    clock.advance(secs(PROPAGATION));
    for _ in 0..4 {
        polled().await;
    }
    let is = |event: &&String| event.contains("nothing is signed");
    let events = told.since();
    let stopped: Vec<_> = events.iter().filter(is).collect();
    assert_eq!(
        stopped,
        [
            "ERROR nothing is signed: the store of the keys could not be read for longer than \
          `propagation` error=no route to the store"
        ]
    );
    store.becomes(Fault::None);
    polled().await;
    polled().await;
    told.assert(&[
        "INFO the store of the keys is to be had again".into(),
        "INFO tokens are signed again".into(),
    ]);
    assert!(ring.signing_key().is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_hears_of_a_fault_may_ask_for_the_status() {
    let store = Faulty::new();
    let ring = open(store.clone(), &clock()).await;
    let asked = ring.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || {
        let _ = asked.status();
        std::io::sink()
    });
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    store.becomes(Fault::Unreachable);
    ring.refresh().await.unwrap_err();
    store.becomes(Fault::None);
    look(&ring).await;
    assert_eq!(ring.status().fault, None);
}
