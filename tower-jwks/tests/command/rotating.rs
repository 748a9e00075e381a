//! `rotate`.

use crate::{Folder, HOUR, now, states};
use std::time::Duration;

#[tokio::test]
async fn a_key_that_every_verifier_can_have_signs_now() {
    let folder = Folder::new();
    folder.ring(HOUR).await;
    let reserve = states(&folder.json("status keys"))[1].0.clone();
    assert_eq!(
        folder.run("rotate keys").done(),
        format!("{reserve} signs now\n")
    );
    let after = states(&folder.json("status keys"));
    assert_eq!((&*after[0].1, &*after[1].1), ("retiring", "active"));
    assert_eq!(after[1].0, reserve);
    assert_eq!(after[2].1, "pending");
}

#[tokio::test]
async fn a_key_that_is_too_new_signs_later_and_is_told_of_again() {
    let folder = Folder::new();
    folder.ring(Duration::from_secs(90)).await;
    let before = states(&folder.json("status keys"));
    let told = folder.json("rotate keys");
    assert_eq!(told["kid"], *before[1].0);
    assert_eq!(told["signs"], true);
    let at = told["signs_at"].as_u64().unwrap();
    assert!((now() + 180..=now() + 210).contains(&at), "{told}");
    assert_eq!(folder.json("rotate keys"), told);
    let output = folder.run("rotate keys");
    let said = output.done();
    assert!(
        said.starts_with(&format!("{} signs in 3m ", before[1].0)),
        "{said}"
    );

    let status = folder.json("status keys");
    assert_eq!(status["keys"][0]["state"], "active");
    assert_eq!(status["keys"][0]["next"]["at"], at);
    assert_eq!(status["keys"][1]["next"]["at"], at);
}
