//! What an operator sees of a ring.

use super::*;
use http::Method;
use serde_json::{Value, json};
use tests::{keys::new_key, openssl};
use tower_jwks::PemDirectory;

fn status(ring: &KeyRing) -> Value {
    serde_json::to_value(ring.status()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_key_that_others_have_put_there_signs_until_there_is_a_newer_one() {
    if !openssl::is_there() {
        return;
    }
    let directory = std::env::temp_dir().join(format!("followed-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("a.pem"), openssl::ed25519()).unwrap();
    let ring = KeyRing::follow(PemDirectory::new(&directory))
        .await
        .unwrap();
    let next = &status(&ring)["keys"][0]["next"];
    let expected = json!({
        "state": "retiring",
        "why": "when there is a newer key that every verifier can have",
    });
    assert_eq!(*next, expected);
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_status_of_a_ring_tells_each_key_its_state_and_what_becomes_of_it_and_why() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let (a, b) = (signs(&ring), the(KeyState::Pending, &ring));
    let now = NOW.as_secs();
    clock.advance(secs(7));
    ring.signing_key().unwrap().sign(b"token").unwrap();
    let expected = json!({
        "algorithm": "EdDSA",
        "signs": true,
        "epoch": 3,
        "confirmed_at": now,
        "max_age": MAX_AGE,
        "keys": [
            {
                "kid": a, "state": "active", "since": now, "created_at": now, "age": 7,
                "next": {
                    "state": "retiring",
                    "at": now + INTERVAL,
                    "why": "it signs for 1d 0h, and no longer than to its end",
                },
                "tokens_signed": 1,
            },
            {
                "kid": b, "state": "pending", "since": now, "created_at": now, "age": 7,
                "next": {
                    "state": "active",
                    "at": now + INTERVAL,
                    "why": "by then the key before it has signed for 1d 0h, or comes to its end",
                },
                "tokens_signed": 0,
                "fetchers": 0,
            },
        ],
    });
    assert_eq!(status(&ring), expected);

    clock.set(NOW);
    ring.rotate().await.unwrap();
    settled().await;
    let turn = now + ANNOUNCEMENT;
    let keys = status(&ring)["keys"].clone();
    assert_eq!(
        keys[0]["next"],
        json!({"state": "retiring", "at": turn, "why": "by then the next key signs"})
    );
    assert_eq!(
        keys[1]["next"],
        json!({
            "state": "active",
            "at": turn,
            "why": "by then it has been published for 18m 0s: every verifier can have it",
        })
    );
    let (state, why) = (&keys[2]["next"]["state"], &keys[2]["next"]["why"]);
    assert_eq!(
        (state, why),
        (&json!("active"), &json!("after the key before it"))
    );

    until(&clock, UnixTime::from_secs(turn), &[&ring]).await;
    let keys = status(&ring)["keys"].clone();
    assert_eq!(keys[0]["state"], "retiring");
    assert_eq!(keys[0]["since"], turn);
    assert_eq!(
        keys[0]["next"],
        json!({
            "state": "gone",
            "at": turn + AFTERLIFE,
            "why": "18m 30s after it has signed last, its tokens are expired",
        })
    );
    assert_eq!(
        (&keys[1]["state"], &keys[1]["since"]),
        (&json!("active"), &json!(turn))
    );
    assert_eq!(
        keys[1].get("fetchers"),
        None,
        "it is not waited for any more"
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_are_counted_by_the_key_that_signs_them() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let turn = ring.rotate().await.unwrap();
    settled().await;
    let sign = || ring.signing_key().unwrap().sign(b"token").unwrap();
    let counts = || -> Vec<u64> {
        let keys = ring.status().keys.into_iter();
        keys.map(|key| key.tokens_signed).collect()
    };
    for _ in 0..2 {
        sign();
    }
    assert_eq!(counts(), [2, 0, 0]);
    until(&clock, turn, &[&ring]).await;
    sign();
    // A document that is read again is no reason to count from the start.
    until(&clock, after(turn, 2 * POLL), &[&ring]).await;
    assert_eq!(counts()[..2], [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn those_who_have_a_pending_key_are_counted_by_their_names() {
    let clock = clock();
    let ring = open(MemoryStore::new(), &clock).await;
    let endpoint = JwksEndpoint::new(ring.clone());
    let ask = async |method: Method, agent: Option<&str>, etag: Option<&str>| {
        let mut request = Request::builder().method(method).uri("/keys");
        for (name, value) in [("user-agent", agent), ("if-none-match", etag)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        send(&endpoint, request.body(()).unwrap()).await
    };
    let fetchers = || ring.status().keys[1].fetchers.unwrap();
    assert_eq!(fetchers(), 0);

    let first = ask(Method::GET, Some("istio/1"), None).await;
    assert_eq!(fetchers(), 1);
    ask(Method::GET, Some("istio/1"), None).await;
    assert_eq!(fetchers(), 1, "the same again");
    ask(Method::GET, Some("spring/6"), None).await;
    assert_eq!(fetchers(), 2);
    ask(Method::GET, None, None).await;
    ask(Method::GET, None, None).await;
    assert_eq!(fetchers(), 3, "all without a name are one");

    let etag = first.field("etag").unwrap();
    let known = ask(Method::GET, Some("nginx/1"), Some(etag)).await;
    assert_eq!(known.status(), 304);
    assert_eq!(
        fetchers(),
        4,
        "who asks whether it still has the set has it"
    );
    let known = ask(Method::HEAD, Some("envoy/1"), Some(etag)).await;
    assert_eq!((known.status().as_u16(), fetchers()), (304, 5));

    ask(Method::HEAD, Some("curl/8"), None).await;
    ask(Method::OPTIONS, Some("browser/1"), None).await;
    ask(Method::POST, Some("scanner/1"), None).await;
    assert_eq!(fetchers(), 5, "they have seen no key");

    // Whose key is new has not been seen by those, and what was counted stays.
    ring.rotate().await.unwrap();
    settled().await;
    let counts: Vec<_> = ring.status().keys.iter().map(|key| key.fetchers).collect();
    assert_eq!(counts, [None, Some(5), Some(0)]);
    ask(Method::GET, Some("istio/1"), None).await;
    let counts: Vec<_> = ring.status().keys.iter().map(|key| key.fetchers).collect();
    assert_eq!(counts, [None, Some(5), Some(1)]);
}

#[test]
fn the_status_of_keys_that_stay_as_they_are_has_nothing_that_changes() {
    let (key, other) = (new_key(ALGORITHM), new_key(ALGORITHM));
    let kids = [key.kid(), other.kid()].map(str::to_owned);
    let ring = KeyRing::builder(key).publish(&other).build().unwrap();
    ring.signing_key().unwrap().sign(b"token").unwrap();
    let expected = json!({
        "algorithm": "EdDSA",
        "signs": true,
        "max_age": 600,
        "keys": [
            {"kid": kids[0], "state": "active", "tokens_signed": 1},
            {"kid": kids[1], "state": "published", "tokens_signed": 0},
        ],
    });
    assert_eq!(status(&ring), expected);
}

#[tokio::test]
async fn keys_that_stay_as_they_are_cannot_be_changed() {
    let ring = KeyRing::new(new_key(ALGORITHM));
    let kid = signs(&ring);
    for error in [
        ring.refresh().await.unwrap_err(),
        ring.rotate().await.unwrap_err(),
        ring.revoke(&kid).await.unwrap_err(),
        ring.import(pem(1)).await.unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "the keys of this ring stay as they are");
    }
    assert_eq!(published(&ring), [kid]);
}
