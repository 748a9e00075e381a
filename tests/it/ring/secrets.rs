//! Nothing that is shown of a ring, and nothing that is told of it, has a private key in it.

use super::{
    forged::{Forged, keys},
    *,
};
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::fmt::{Debug, Write};
use tests::capture::{Capture, assert_without};
use tower_backend_jwt::{BackendJwtLayer, PolicySet};
use tower_jwks::{JwksLayer, KeyEncryptionKey};

/// A private key in the ways in which it could be written.
fn ways(key: &[u8]) -> Vec<String> {
    // The random part of PKCS#8.
    let random = &key[16..48];
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        BASE64_STANDARD.encode(key),
        BASE64_STANDARD.encode(random),
        BASE64_URL_SAFE_NO_PAD.encode(random),
        hex.to_uppercase(),
        hex,
        format!("{random:?}").trim_matches(['[', ']']).to_owned(),
    ]
}

/// What a document keeps secret, as it is written there, and in other ways.
fn secrets(ring: &StoredRing) -> Vec<String> {
    let mut json = Forged::of(ring).json;
    let mut all = Vec::new();
    for key in keys(&mut json) {
        match (key.get("private_key"), key.get("sealed_private_key")) {
            (Some(key), None) => {
                let key = BASE64_STANDARD.decode(key.as_str().unwrap()).unwrap();
                all.extend(ways(&key));
            }
            (None, Some(sealed)) => all.push(sealed.as_str().unwrap().to_owned()),
            _ => panic!("either"),
        }
    }
    assert!(!all.is_empty());
    all
}

/// Everything of a ring that can be formatted.
fn everything(ring: &KeyRing, stored: &StoredRing, opening: &OpenKeyRing) -> String {
    let mut text = String::new();
    let mut show = |value: &dyn Debug| write!(text, "{value:?}{value:#?}").unwrap();
    show(ring);
    show(opening);
    show(stored);
    show(&ring.status());
    show(&policy());
    show(&policy().build().unwrap());
    show(&ring.signing_key());
    show(&ring.published());
    show(&BackendJwtLayer::new(ring.clone()));
    show(&PolicySet::new(ring.clone()));
    show(&JwksLayer::new(ring.clone()));
    show(&JwksEndpoint::new(ring.clone()));
    text.push_str(&serde_json::to_string(&ring.status()).unwrap());
    text.push_str(ring.published().unwrap().json());
    text
}

/// Lives a whole life, with a change of every kind and a fault of every kind. Gives what was shown and told, and
/// what is secret.
async fn live(kek: Option<KeyEncryptionKey>) -> (String, Vec<String>) {
    let events = Capture::start();
    let (store, clock) = (Faulty::new(), clock());
    let opening = || {
        let opening = opening(store.clone(), &clock).first_key(pem(3));
        match &kek {
            Some(kek) => opening.key_encryption_key(kek.clone()),
            None => opening,
        }
    };
    let ring = opening().await.unwrap();
    settled().await;
    let (mut shown, mut secret) = (String::new(), Vec::new());
    let mut take = async || {
        let stored = store.has().await;
        secret.extend(secrets(&stored));
        shown.push_str(&everything(&ring, &stored, &opening()));
    };
    take().await;
    ring.import(pem(4)).await.unwrap();
    until(&clock, after(NOW, ANNOUNCEMENT), &[&ring]).await;
    ring.rotate().await.unwrap();
    settled().await;
    take().await;
    until(&clock, after(clock.now(), AFTERLIFE), &[&ring]).await;
    ring.rotate().await.unwrap();
    settled().await;
    until(&clock, after(clock.now(), ANNOUNCEMENT), &[&ring]).await;
    let retired = the(KeyState::Retiring, &ring);
    ring.revoke(&retired).await.unwrap();
    settled().await;
    take().await;

    let good = store.has().await;
    let text = String::from_utf8(good.secret_document().to_vec()).unwrap();
    let mut errors = vec![
        ring.import(pem(4).replace("KEY-----\n", "KEY-----\n?"))
            .await,
        ring.import(der(4)).await,
    ];
    for (from, to) in [
        ("private_key\":\"", "private_key\":\"?"),
        ("private_key\":\"", "other\":\""),
        ("\"contents\":{", "\"contents\":{\"a\":1,"),
        ("\"tag\"", "\"tag"),
    ] {
        assert!(text.contains(from));
        let bad = text.replace(from, to).into_bytes();
        store.put(StoredRing::new(good.epoch(), bad)).await;
        errors.push(ring.refresh().await.map(|()| String::new()));
        errors.push(opening().await.map(|_| String::new()));
        write!(shown, "{:?}", ring.status()).unwrap();
    }
    for error in errors {
        let error = error.unwrap_err();
        write!(shown, "{error} {error:?}").unwrap();
    }
    clock.advance(secs(PROPAGATION));
    tokio::time::sleep(secs(2 * POLL)).await;
    let events = events.text();
    for event in [
        "is published",
        "signs from now on",
        "was revoked",
        "nothing is signed",
    ] {
        assert!(events.contains(event), "{event}: {events}");
    }
    shown.push_str(&events);
    (shown, secret)
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_shown_or_told_of_a_ring_has_a_private_key_in_it() {
    let (shown, secret) = live(None).await;
    assert!(secret.len() > 6 * 6);
    assert_without(&shown, secret);
    assert_without(&shown, [ways(&der(3)), ways(&der(4))].concat());
}

#[tokio::test(start_paused = true)]
async fn nor_has_it_a_sealed_one_or_what_it_is_sealed_with() {
    let kek = [0xa7; 32];
    let (shown, secret) = live(Some(KeyEncryptionKey::from_bytes(kek))).await;
    assert_without(&shown, secret);
    assert_without(&shown, [ways(&der(3)), ways(&der(4))].concat());
    assert_without(&shown, ways(&[&[0; 16][..], &kek].concat()));
}
