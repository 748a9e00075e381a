//! A ring that a tool opens: it looks, does what it is told to, and nothing else.

use std::time::Duration;
use tower_jwks::{
    Algorithm, KeyRing, KeyState, KeyStore, ManualClock, MemoryStore, RotationPolicy, UnixTime,
};

const SECOND: Duration = Duration::from_secs(1);

fn short() -> RotationPolicy {
    RotationPolicy::builder()
        .interval(90 * 24 * 60 * 60 * SECOND)
        .max_age(60 * SECOND)
        .propagation(20 * SECOND)
        .grace(Duration::ZERO)
        .clock_skew(5 * SECOND)
        .token_life(30 * SECOND)
        .build()
        .unwrap()
}

struct Shared {
    store: MemoryStore,
    clock: ManualClock,
}

impl Shared {
    /// A ring with times that are shorter than the defaults, and an interval that is longer.
    async fn new() -> Self {
        let store = MemoryStore::new();
        let clock = ManualClock::new(UnixTime::from_secs(1_000_000));
        let ring = Self { store, clock };
        let process = ring.process().await;
        process.refresh().await.unwrap();
        ring
    }

    async fn process(&self) -> KeyRing {
        let ring = KeyRing::open(self.store.clone()).algorithm(Algorithm::EdDSA);
        let ring = ring.policy(short()).clock(self.clock.clone());
        ring.await.unwrap()
    }

    async fn tool(&self) -> KeyRing {
        let ring = KeyRing::open(self.store.clone()).by_hand();
        ring.clock(self.clock.clone()).await.unwrap()
    }

    async fn document(&self) -> Vec<u8> {
        let stored = self.store.load().await.unwrap().unwrap();
        stored.secret_document().to_vec()
    }
}

#[tokio::test]
async fn a_tool_makes_no_ring() {
    let store = MemoryStore::new();
    let error = KeyRing::open(store.clone()).by_hand().await.unwrap_err();
    assert_eq!(error.to_string(), "there is no ring in the store");
    assert!(store.load().await.unwrap().is_none());
}

#[tokio::test]
async fn to_look_changes_nothing() {
    let ring = Shared::new().await;
    let before = ring.document().await;
    let tool = ring.tool().await;
    assert!(tool.status().signs);
    assert_eq!(tool.status().max_age, Some(60));
    assert_eq!(ring.document().await, before);
}

#[tokio::test]
async fn a_tool_goes_by_what_the_ring_has_promised() {
    let ring = Shared::new().await;
    let tool = ring.tool().await;
    assert_eq!(tool.token_life(), Some(30 * SECOND));

    // By the defaults it would be 37 minutes, and every later one as well.
    let at = tool.rotate().await.unwrap();
    assert_eq!(at, UnixTime::from_secs(1_000_000 + 60 + 20 + 2 * 5));
    let document = String::from_utf8(ring.document().await).unwrap();
    assert!(
        document.contains(
            r#""promise":{"max_age":60,"propagation":20,"grace":0,"clock_skew":5,"token_life":30}"#
        ),
        "{document}"
    );
}

#[tokio::test]
async fn how_long_a_key_signs_is_not_a_tools_to_say() {
    let ring = Shared::new().await;
    let tool = ring.tool().await;
    let active = tool.status().keys[0].kid.clone();
    let next = tool.status().keys[0].next.clone().unwrap();
    assert_eq!(next.at, None);
    assert!(
        next.why.contains("the interval of those who sign"),
        "{}",
        next.why
    );
    let reserve = tool.status().keys[1].next.clone().unwrap();
    assert_eq!(reserve.at, Some(UnixTime::from_secs(1_000_090)));

    // Longer than the default interval, and not as long as that of those who sign.
    ring.clock.advance(60 * 24 * 60 * 60 * SECOND);
    let reserve = tool.status().keys[1].kid.clone();
    tool.revoke(&reserve).await.unwrap();
    let states: Vec<_> = tool.status().keys.iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::Active, KeyState::Pending]);
    assert_eq!(tool.signing_key().unwrap().kid(), active);
    let reserve = tool.status().keys[1].next.clone().unwrap();
    assert!(reserve.why.starts_with("not before"), "{}", reserve.why);
}
