//! `init`.

use crate::{Folder, SEAL, openssl, seal, states};
use serde_json::json;
use std::{fs, os::unix::fs::PermissionsExt};
use tower_jwks::{DirectoryStore, KeyRing};

#[test]
fn a_ring_is_made_and_its_files_are_nobody_elses() {
    let folder = Folder::new();
    let output = folder.run("init keys --algorithm ES256");
    let said = output.done();
    let status = folder.json("status keys");
    let (kid, state) = &states(&status)[0];
    assert_eq!(state, "active");
    assert_eq!(
        said,
        format!("a ring of ES256 keys is in keys\n{kid} signs\n")
    );
    assert!(output.complained.contains("are not sealed"), "{output:?}");

    let mode = |name: &str| {
        fs::metadata(folder.path(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("keys"), 0o700);
    for entry in fs::read_dir(folder.path("keys")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert_eq!(mode(&format!("keys/{name}")), 0o600, "{name}");
    }
}

#[test]
fn what_was_made_is_told_as_json() {
    let folder = Folder::new();
    let made = folder.json("init keys --algorithm EdDSA");
    let kid = states(&folder.json("status keys"))[0].0.clone();
    assert_eq!(
        made,
        json!({"directory": "keys", "algorithm": "EdDSA", "kid": kid, "sealed": false})
    );
}

#[test]
fn the_key_in_reserve_is_known_from_the_start() {
    let folder = Folder::new();
    folder.run("init keys --algorithm ES256").done();
    let status = folder.json("status keys");
    let states: Vec<_> = states(&status)
        .into_iter()
        .map(|(_, state)| state)
        .collect();
    assert_eq!(states, ["active", "pending"]);
    assert!(status["keys"][1]["since"].is_u64(), "{status}");
}

#[test]
fn where_a_ring_is_none_is_made() {
    let folder = Folder::new();
    folder.run("init keys --algorithm ES256").done();
    let before = folder.read("keys/ring.json");
    let output = folder.run("init keys --algorithm EdDSA --token-life 9h");
    assert_eq!(
        output.failed(1),
        "tower-jwks: keys: there is a ring already (`tower-jwks status` tells of it)\n"
    );
    assert_eq!(folder.read("keys/ring.json"), before);

    folder.write("keys/ring.json", "broken");
    let output = folder.run("init keys");
    assert!(
        output.failed(1).starts_with("tower-jwks: keys/ring.json: "),
        "{output:?}"
    );
    assert_eq!(folder.read("keys/ring.json"), "broken");
}

#[test]
fn what_the_ring_promises_is_kept_by_every_change() {
    let folder = Folder::new();
    folder
        .run(
            "init keys --algorithm ES256 --token-life 5m --max-age 30s --propagation 8s \
             --grace 0s --clock-skew 1s",
        )
        .done();
    let promise =
        r#""promise":{"max_age":30,"propagation":8,"grace":0,"clock_skew":1,"token_life":300}"#;
    assert!(folder.read("keys/ring.json").contains(promise));
    let active = states(&folder.json("status keys"))[0].0.clone();
    folder.run("rotate keys").done();
    folder.run(&format!("revoke keys {active}")).done();
    assert!(folder.read("keys/ring.json").contains(promise));
    assert_eq!(folder.json("status keys")["max_age"], 30);
}

#[test]
fn a_promise_that_cannot_be_kept_is_refused_in_the_words_of_the_command_line() {
    let folder = Folder::new();
    for (option, complaint) in [
        (
            "--max-age 10",
            "--max-age: no time such as `10m`: time unit needed",
        ),
        ("--grace soon", "--grace: no time such as `10m`: "),
        ("--grace 1500ms", "--grace: has a fraction of a second;"),
        ("--token-life 0s", "--token-life: is zero;"),
        ("--token-life 20y", "--token-life: is over 10 years;"),
        ("--propagation 1s", "--propagation: is under 2 seconds;"),
        (
            "--clock-skew 6m",
            "--clock-skew: is over `--propagation`, 5m 0s;",
        ),
    ] {
        let output = folder.run(&format!("init keys {option}"));
        let complained = output.failed(2);
        assert!(
            complained.starts_with(&format!("tower-jwks: {complaint}")),
            "{option}: {complained}"
        );
        assert!(!folder.path("keys").exists(), "{option}");
    }
}

#[tokio::test]
async fn a_sealed_ring_is_opened_with_its_key_alone() {
    let folder = Folder::new();
    folder.write("kek", format!("{SEAL}\n"));
    folder.write("other", SEAL.replace("00", "01"));
    let output = folder.run("init keys --algorithm ES256 --kek-file kek");
    output.done();
    assert_eq!(output.complained, "");
    assert!(folder.read("keys/ring.json").contains("sealed_private_key"));

    folder.run("status keys --kek-file kek").done();
    let environment = [("RING_KEY", SEAL)];
    folder
        .run_with("rotate keys --kek-env RING_KEY", &environment)
        .done();
    let ring = KeyRing::open(DirectoryStore::new(folder.path("keys"))).by_hand();
    assert!(ring.key_encryption_key(seal()).await.is_ok());

    let before = folder.read("keys/ring.json");
    for (option, complaint) in [
        (
            "",
            "is sealed: it needs its key-encryption key (--kek-file or --kek-env)",
        ),
        (
            "--kek-file other",
            "is not sealed with this key-encryption key",
        ),
        ("--kek-file nowhere", "No such file"),
        ("--kek-env IS_NOT_SET", "IS_NOT_SET is not set"),
    ] {
        for command in [
            "status keys",
            "rotate keys",
            "revoke keys a",
            "import keys kek",
        ] {
            let output = folder.run(&format!("{command} {option}"));
            let complained = output.failed(1);
            assert!(
                complained.contains(complaint),
                "{command} {option}: {complained}"
            );
            assert!(!complained.contains(&SEAL[..16]), "{complained}");
        }
    }
    assert_eq!(folder.read("keys/ring.json"), before);
}

#[test]
fn the_first_key_may_be_one_that_verifiers_know() {
    let folder = Folder::new();
    let Some(pem) = openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384") else {
        return;
    };
    folder.write("old.pem", &pem);
    let made = folder.json("init keys --key old.pem");
    assert_eq!(made["algorithm"], "ES384");
    let key = tower_jwks::SigningKey::from_pem(tower_jwks::Algorithm::ES384, pem).unwrap();
    assert_eq!(made["kid"], key.kid());

    let output = folder.run("init other --key old.pem --algorithm ES256");
    assert!(
        output.failed(1).starts_with("tower-jwks: old.pem: "),
        "{output:?}"
    );
    let output = folder.run("init other --key nowhere.pem");
    assert!(
        output
            .failed(1)
            .starts_with("tower-jwks: nowhere.pem: No such"),
        "{output:?}"
    );
    assert!(!folder.path("other").exists());
}

#[test]
#[cfg(feature = "aws-lc-rs")]
fn an_rsa_ring_is_the_default() {
    let folder = Folder::new();
    assert_eq!(folder.json("init keys")["algorithm"], "RS256");
}
