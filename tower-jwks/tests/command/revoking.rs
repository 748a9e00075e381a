//! `revoke`.

use crate::{Folder, HOUR, now, states};
use serde_json::Value;
use std::time::Duration;

#[tokio::test]
async fn the_reserve_takes_over_at_once_if_every_verifier_can_have_it() {
    let folder = Folder::new();
    folder.ring(HOUR).await;
    let before = states(&folder.json("status keys"));
    let output = folder.run(&format!("revoke keys {}", before[0].0));
    assert_eq!(
        output.done(),
        format!(
            "{} is revoked: it is published no more, and signs no more\n\
             {} takes over, and signs now\n",
            before[0].0, before[1].0
        )
    );
    assert_eq!(output.complained, "");
    let after = states(&folder.json("status keys"));
    assert_eq!(after[0], (before[1].0.clone(), "active".to_owned()));
    assert_eq!(after[1].1, "pending");
    assert!(!after.iter().any(|(kid, _)| *kid == before[0].0));
}

#[tokio::test]
async fn that_nothing_signs_is_said_loudly() {
    let folder = Folder::new();
    folder.ring(Duration::from_secs(90)).await;
    let before = states(&folder.json("status keys"));
    let output = folder.run(&format!("revoke keys {}", before[0].0));
    assert!(output.done().contains("is revoked"), "{output:?}");
    let alarm = format!(
        "tower-jwks: NOTHING SIGNS NOW: {} is to sign in 3m ",
        before[1].0
    );
    assert!(output.complained.starts_with(&alarm), "{output:?}");
    let output = folder.run("status keys");
    assert!(output.done().contains("pending"), "{output:?}");
    assert!(output.complained.starts_with(&alarm), "{output:?}");

    let status = folder.json("status keys");
    assert_eq!(status["signs"], false);
    assert_eq!(status["fault"], "no key of the ring may sign now");
}

#[tokio::test]
async fn as_json_the_same_is_told_in_members() {
    let folder = Folder::new();
    folder.ring(Duration::from_secs(60)).await;
    let before = states(&folder.json("status keys"));
    let told = folder.json(&format!("revoke keys {}", before[1].0));
    assert_eq!(told["revoked"], *before[1].0);
    assert_eq!(told["signs"], true);
    assert_eq!(told["kid"], *before[0].0);
    assert_eq!(told["signs_at"], Value::Null);

    // The one in reserve is as new as can be.
    let told = folder.json(&format!("revoke keys {}", before[0].0));
    assert_eq!(told["signs"], false);
    let at = told["signs_at"].as_u64().unwrap();
    assert!((now() + 200..=now() + 300).contains(&at), "{told}");
    let status = folder.json("status keys");
    assert_eq!(told["kid"], status["keys"][0]["kid"]);
}

#[tokio::test]
async fn a_key_that_is_none_of_the_rings_is_not_revoked() {
    let folder = Folder::new();
    folder.ring(HOUR).await;
    let before = folder.read("keys/ring.json");
    // Names of keys may begin as options do.
    let dashed = format!("-{}", "a".repeat(42));
    for kid in ["nobody", &dashed, &format!("-- {dashed}"), "-- -a"] {
        let output = folder.run(&format!("revoke keys {kid}"));
        let named = kid.trim_start_matches("-- ");
        assert_eq!(
            output.failed(1),
            format!("tower-jwks: keys: the ring has no key \"{named}\"\n")
        );
    }
    assert_eq!(folder.read("keys/ring.json"), before);
}
