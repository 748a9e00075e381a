//! Documents that are not taken: nobody signs by them, and nobody writes over them.

use super::{
    forged::{Forged, dates, keys},
    *,
};
use serde_json::json;
use tests::openssl;

/// A ring, its store, and something to compare with.
struct Good {
    store: Faulty,
    clock: ManualClock,
    ring: KeyRing,
    document: StoredRing,
}

impl Good {
    async fn new() -> Self {
        let (store, clock) = (Faulty::new(), clock());
        let ring = open(store.clone(), &clock).await;
        let document = store.has().await;
        Self {
            store,
            clock,
            ring,
            document,
        }
    }

    fn forged(&self) -> Forged {
        Forged::of(&self.document)
    }

    /// That a document is refused by this text, in each thing that can be asked of a ring, and that the good one
    /// stays in force and the bad one where it is.
    async fn assert_refused(&self, bad: StoredRing, text: &str) {
        let Self {
            store,
            ring,
            document,
            ..
        } = self;
        let before = (signs(ring), published(ring), epoch(ring));
        store.put(bad.clone()).await;
        let kid = before.0.clone();
        for error in [
            ring.refresh().await.unwrap_err(),
            ring.rotate().await.unwrap_err(),
            ring.revoke(&kid).await.unwrap_err(),
            ring.import(pem(1)).await.unwrap_err(),
        ] {
            assert_eq!(error.to_string(), text);
        }
        settled().await;
        let has = store.has().await;
        assert_eq!(has.secret_document(), bad.secret_document(), "{text}");
        assert_eq!(has.epoch(), bad.epoch());
        assert_eq!((signs(ring), published(ring), epoch(ring)), before);
        assert_eq!(ring.status().fault.as_deref(), Some(text));

        store.put(document.clone()).await;
        ring.refresh().await.unwrap();
        assert_eq!(ring.status().fault, None);
    }

    /// As [`assert_refused`](Self::assert_refused), and that nobody who comes new opens it.
    async fn assert_refused_by_all(&self, bad: StoredRing, text: &str) {
        self.store.put(bad.clone()).await;
        let opened = opening(self.store.clone(), &self.clock).await;
        assert_eq!(opened.unwrap_err().to_string(), text);
        let has = self.store.has().await;
        assert_eq!(has.secret_document(), bad.secret_document(), "{text}");
        self.assert_refused(bad, text).await;
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_document_is_refused() {
    let good = Good::new().await;
    let epoch = good.document.epoch();
    let whole = good.document.secret_document();
    let cut = |end: usize| StoredRing::new(epoch, whole[..end].to_vec());
    for (end, column) in [(0, 0), (1, 1), (whole.len() / 2, whole.len() / 2)] {
        let text = format!(
            "what the store has is not the document of a ring, or not all of it: line 1, column {column}"
        );
        good.assert_refused_by_all(cut(end), &text).await;
    }
    // All but the end of the line is all.
    good.store.put(cut(whole.len() - 1)).await;
    good.ring.refresh().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn another_programs_file_is_refused() {
    let good = Good::new().await;
    let epoch = good.document.epoch();
    let text =
        "what the store has is not the document of a ring, or not all of it: line 1, column 14";
    let json = br#"{"keys":[],"a":1}"#.to_vec();
    let error = {
        good.store.put(StoredRing::new(epoch, json.clone())).await;
        good.ring.refresh().await.unwrap_err().to_string()
    };
    let (what, _) = text.split_once("line").unwrap();
    assert!(error.starts_with(what), "{error}");
    assert!(!error.contains("keys"), "{error}");
    good.store.put(good.document.clone()).await;

    let next = good.forged().with(|json| {
        json["format"] = "tower-jwks ring 2".into();
    });
    let text = r#"what the store has is not of the format "tower-jwks ring 1""#;
    good.assert_refused_by_all(next.write(), text).await;
}

#[tokio::test(start_paused = true)]
async fn a_document_that_was_changed_is_refused() {
    let good = Good::new().await;
    let damaged = "what the store has was changed by another hand, or is damaged";
    let later = good.forged().with(|json| {
        dates(json)["activates_at"] = 1.into();
    });
    good.assert_refused_by_all(later.write(), damaged).await;
    let promise = good.forged().with(|json| {
        json["contents"]["state"]["promise"]["max_age"] = 1.into();
    });
    good.assert_refused_by_all(promise.write(), damaged).await;
    let renamed = good.forged().with(|json| json["tag"] = "????".into());
    let text = "what the store has has a tag that is not base64";
    good.assert_refused_by_all(renamed.write(), text).await;
    let renumbered = good.forged().of_epoch(77);
    good.assert_refused_by_all(renumbered.write(), damaged)
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_document_under_another_number_than_its_own_is_refused() {
    let good = Good::new().await;
    let epoch = good.document.epoch();
    let bytes = good.document.secret_document().to_vec();
    let text = format!("what the store has is of epoch {epoch}, where the store says 99");
    good.assert_refused_by_all(StoredRing::new(99, bytes), &text)
        .await;
}

#[tokio::test(start_paused = true)]
async fn another_ring_is_not_taken_for_this_one() {
    let good = Good::new().await;
    let foreign = Good::new().await;
    // Of the same epoch, and of a later one.
    let text = "what the store has is that of another ring";
    good.assert_refused(foreign.document.clone(), text).await;
    foreign.ring.rotate().await.unwrap();
    settled().await;
    good.assert_refused(foreign.store.has().await, text).await;
}

#[tokio::test(start_paused = true)]
async fn an_older_document_is_refused() {
    let good = Good::new().await;
    let older = good.document.clone();
    let revoked = signs(&good.ring);
    good.ring.revoke(&revoked).await.unwrap();
    settled().await;
    let (was, now) = (older.epoch(), epoch(&good.ring));
    good.store.put(older).await;
    let error = good.ring.refresh().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the ring in the store is of epoch {was}, older than {now}, which was there")
    );
    assert!(!published(&good.ring).contains(&revoked));
    assert!(good.ring.rotate().await.is_err());
    assert_eq!(good.store.has().await.epoch(), was, "it is left as it is");
}

#[tokio::test(start_paused = true)]
async fn another_document_of_the_same_epoch_is_refused() {
    if !openssl::is_there() {
        return;
    }
    let good = Good::new().await;
    let other = good.forged().with(|json| {
        dates(json)["created_at"] = 1.into();
    });
    let text = "the ring in the store is another than it was, and of the same epoch";
    good.assert_refused(other.tagged().write(), text).await;
}

#[tokio::test(start_paused = true)]
async fn a_ring_that_is_gone_is_not_made_anew_by_those_who_know_it() {
    let good = Good::new().await;
    let before = signs(&good.ring);
    good.store.becomes(Fault::Forgets);
    let error = good.ring.refresh().await.unwrap_err();
    assert_eq!(error.to_string(), "the store has no ring any more");
    assert!(good.ring.rotate().await.is_err());
    assert_eq!(signs(&good.ring), before);
    let has = good.store.has().await;
    assert_eq!(has.secret_document(), good.document.secret_document());
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_though_its_tag_is_right() {
    if !openssl::is_there() {
        return;
    }
    let good = Good::new().await;
    let [a, b] = &published(&good.ring)[..] else {
        panic!("two keys")
    };
    let next = good.document.epoch() + 1;
    let refused = async |forged: Forged, text: &str| {
        let bad = forged.of_epoch(next).tagged().write();
        good.assert_refused_by_all(bad, &format!("what the store has {text}"))
            .await;
    };
    let forged = || good.forged();

    let fewer = forged().with(|json| drop(keys(json).pop()));
    refused(fewer, "has more or fewer keys than dates, or too many").await;
    let twice = forged().with(|json| {
        dates(json)["kid"] = b.as_str().into();
        json["contents"]["keys"][0] = json["contents"]["keys"][1].clone();
    });
    refused(twice, &format!("has two keys with the kid {b:?}")).await;
    let revoked = forged().with(|json| {
        json["contents"]["state"]["revoked"] = json!([{"kid": a, "at": 1}]);
    });
    refused(revoked, &format!("has a key that is revoked, {a:?}")).await;
    let garbage = forged().with(|json| keys(json)[0]["private_key"] = "?".into());
    refused(garbage, &format!("has a key {a:?}: is not base64")).await;
    let endless = forged().with(|json| dates(json)["not_after"] = 7.into());
    let text = format!("has a key {a:?}: ends at another time than its certificate");
    refused(endless, &text).await;
    let sealed = forged().with(|json| {
        let key = keys(json)[0]["private_key"].take();
        keys(json)[0] = json!({ "sealed_private_key": key });
    });
    refused(sealed, &format!("has a key {a:?}: is sealed")).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_whole_and_yet_no_ring_is_refused_without_showing_it() {
    if !openssl::is_there() {
        return;
    }
    let good = Good::new().await;
    for (member, value) in [("secret", json!("shown")), ("algorithm", json!("shown"))] {
        let forged = good.forged().with(|json| json["contents"][member] = value);
        let next = good.document.epoch() + 1;
        good.store.put(forged.of_epoch(next).tagged().write()).await;
        let error = good.ring.refresh().await.unwrap_err().to_string();
        let text = "what the store has cannot be read, though it is whole: line 1, column ";
        assert!(error.starts_with(text), "{error}");
        assert!(!error.contains("shown"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_other_private_key_takes_the_place_of_one() {
    if !openssl::is_there() {
        return;
    }
    let good = Good::new().await;
    let kid = signs(&good.ring);
    let swapped = good.forged().with(|json| {
        keys(json)[0]["private_key"] = BASE64_STANDARD.encode(der(66)).into();
    });
    let next = good.document.epoch() + 1;
    let text = format!("what the store has has a key {kid:?}: is another than it was");
    let bad = swapped.clone().of_epoch(next).tagged().write();
    good.assert_refused(bad, &text).await;
    let bad = swapped.tagged().write();
    good.assert_refused(bad, &text).await;
}

#[tokio::test(start_paused = true)]
async fn a_ring_does_not_change_its_algorithm() {
    if !openssl::is_there() {
        return;
    }
    let good = Good::new().await;
    let other = good.forged().with(|json| {
        json["contents"]["algorithm"] = "ES256".into();
    });
    let next = good.document.epoch() + 1;
    let bad = other.of_epoch(next).tagged().write();
    let text = "the ring in the store has another algorithm";
    good.assert_refused(bad, text).await;
}
