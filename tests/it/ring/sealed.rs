//! Documents that hold no private key which their reader could use.

use super::{
    forged::{Forged, dates, keys},
    *,
};
use tests::openssl;
use tower_jwks::KeyEncryptionKey;

const NOT_OURS: &str = "what the store has is not sealed with this key-encryption key, or was changed \
    by another hand";

const NOT_SEALED: &str = "what the store has is not sealed: its ring was made without a key-encryption \
    key, or another hand wrote it";

fn kek() -> KeyEncryptionKey {
    KeyEncryptionKey::from_bytes([7; 32])
}

fn sealed(store: &Faulty) -> OpenKeyRing {
    opening(store.clone(), &clock()).key_encryption_key(kek())
}

fn text(ring: &StoredRing) -> String {
    String::from_utf8(ring.secret_document().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_sealed_shows_no_private_key() {
    // Of the part that is random, in each way in which base64 can have it.
    let key = der(7);
    let traces: Vec<String> = (0..3)
        .map(|shift| BASE64_STANDARD.encode(&key[16 + shift..46 - shift]))
        .collect();
    let whole = BASE64_STANDARD.encode(&key);
    let shows =
        |text: &str| text.contains(&whole) || traces.iter().any(|trace| text.contains(trace));

    let open = Faulty::new();
    let ring = opening(open.clone(), &clock()).first_key(pem(7)).await;
    assert!(shows(&text(&open.has().await)), "what the search is worth");
    drop(ring);

    let store = Faulty::new();
    let ring = sealed(&store).first_key(pem(7)).await.unwrap();
    ring.import(pem(8)).await.unwrap();
    settled().await;
    let document = store.has().await;
    assert!(!shows(&text(&document)));
    assert!(!text(&document).contains("\"private_key\""));
    assert_eq!(text(&document).matches("\"sealed_private_key\"").count(), 3);
    // Nor is it there in any other way.
    let bytes = document.secret_document();
    assert!(!bytes.windows(16).any(|window| window == [7; 16]));
    let other = sealed(&store).await.unwrap();
    assert_eq!(signs(&other), signs(&ring));
}

#[tokio::test(start_paused = true)]
async fn only_the_same_key_encryption_key_opens_it() {
    let store = Faulty::new();
    let _ring = sealed(&store).await.unwrap();
    settled().await;
    let before = store.has().await;
    let other = KeyEncryptionKey::from_bytes([8; 32]);
    let error = opening(store.clone(), &clock()).key_encryption_key(other);
    assert_eq!(error.await.unwrap_err().to_string(), NOT_OURS);
    let error = opening(store.clone(), &clock()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "what the store has is sealed: it needs its key-encryption key"
    );
    let after = store.has().await;
    assert_eq!(after.secret_document(), before.secret_document());
}

#[tokio::test(start_paused = true)]
async fn what_is_not_sealed_is_refused_by_who_has_a_key_to_seal_with() {
    let store = Faulty::new();
    let _ring = open(store.clone(), &clock()).await;
    let before = store.has().await;
    let error = sealed(&store).await.unwrap_err();
    assert_eq!(error.to_string(), NOT_SEALED);
    let after = store.has().await;
    assert_eq!(after.secret_document(), before.secret_document());
}

#[tokio::test(start_paused = true)]
async fn who_can_write_the_store_can_neither_move_a_sealed_key_nor_change_a_date() {
    if !openssl::is_there() {
        return;
    }
    let (store, foreign) = (Faulty::new(), Faulty::new());
    let ring = sealed(&store).await.unwrap();
    let _other = sealed(&foreign).await.unwrap();
    settled().await;
    let good = store.has().await;
    let before = (signs(&ring), published(&ring));
    let mut of_another_ring = Forged::of(&foreign.has().await).json;
    let of_another_ring = keys(&mut of_another_ring)[0].clone();

    let swapped = Forged::of(&good).with(|json| keys(json).swap(0, 1));
    let replaced = Forged::of(&good).with(|json| keys(json)[0] = of_another_ring);
    let redated = Forged::of(&good).with(|json| dates(json)["activates_at"] = 1.into());
    let renamed = Forged::of(&good).with(|json| dates(json)["kid"] = "mine".into());
    let plain = Forged::of(&good).with(|json| {
        let key = BASE64_STANDARD.encode(der(1));
        keys(json)[0] = serde_json::json!({ "private_key": key });
    });
    for forged in [swapped, replaced, redated, renamed, plain] {
        let next = forged.clone().of_epoch(good.epoch() + 1);
        for bad in [forged.clone(), forged.tagged(), next.clone(), next.tagged()] {
            let bad = bad.write();
            store.put(bad.clone()).await;
            let error = ring.refresh().await.unwrap_err().to_string();
            assert!([NOT_OURS, NOT_SEALED].contains(&&*error), "{error}");
            assert_eq!(sealed(&store).await.unwrap_err().to_string(), error);
            assert_eq!(store.has().await.secret_document(), bad.secret_document());
            assert_eq!((signs(&ring), published(&ring)), before);
        }
    }
}
