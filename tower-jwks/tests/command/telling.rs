//! `status`.

use crate::{Folder, HOUR, now, states};
use serde_json::Value;

#[tokio::test]
async fn a_ring_is_told_of_in_a_table() {
    let folder = Folder::new();
    folder.ring(26 * HOUR).await;
    let keys = states(&folder.json("status keys"));
    let output = folder.run("status keys");
    let lines: Vec<_> = output.done().lines().collect();
    assert_eq!(output.complained, "");
    assert_eq!(
        lines[0],
        "ES256 keys in keys, epoch 3; verifiers may keep them for 1m"
    );
    let cells = |line: usize| -> Vec<&str> {
        let cells = lines[line].split("  ").map(str::trim);
        cells.filter(|cell| !cell.is_empty()).collect()
    };
    assert_eq!(cells(1), ["KID", "STATE", "SINCE", "AGE", "NEXT"]);
    assert_eq!(
        cells(2),
        [
            &*keys[0].0,
            "active",
            "1d 2h ago",
            "1d 2h",
            "retiring: when it has signed for the interval of those who sign, or comes to its end"
        ]
    );
    assert_eq!(
        cells(3)[..4],
        [&*keys[1].0, "pending", "1d 2h ago", "1d 2h"]
    );
    assert!(cells(3)[4].starts_with("active: not before it has been published for 5m 0s"));
    assert_eq!(lines.len(), 4);
}

#[tokio::test]
async fn as_json_times_are_numbers() {
    let folder = Folder::new();
    folder.ring(HOUR).await;
    let status = folder.json("status keys");
    assert_eq!(status["directory"], "keys");
    assert_eq!(status["algorithm"], "ES256");
    assert_eq!(status["signs"], true);
    assert_eq!(status["epoch"], 3);
    let active = &status["keys"][0];
    assert!(active["since"].as_u64().unwrap() <= now() - 3600);
    assert!((3600..3700).contains(&active["age"].as_u64().unwrap()));
    // They would be of this process, which signs nothing and publishes nothing.
    assert_eq!(active["tokens_signed"], Value::Null);
    assert_eq!(status["keys"][1]["fetchers"], Value::Null);
}

#[tokio::test]
async fn to_tell_changes_nothing() {
    let folder = Folder::new();
    folder.ring(HOUR).await;
    let before = folder.read("keys/ring.json");
    folder.run("status keys").done();
    assert_eq!(folder.read("keys/ring.json"), before);
}

#[test]
fn where_no_ring_is_none_is_made() {
    let folder = Folder::new();
    folder.write("a.pem", "");
    for command in [
        "status keys",
        "rotate keys",
        "revoke keys a",
        "import keys a.pem",
    ] {
        let output = folder.run(command);
        assert_eq!(
            output.failed(1),
            "tower-jwks: keys: there is no ring (`tower-jwks init keys` makes one)\n"
        );
        assert!(!folder.path("keys").exists(), "{command}");
    }
}

#[tokio::test]
async fn a_broken_ring_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    folder.ring(HOUR).await;
    let whole = folder.read("keys/ring.json");
    let changed = whole.replace("\"max_age\":60", "\"max_age\":1");
    for broken in [&whole[..whole.len() / 2], "", &changed] {
        folder.write("keys/ring.json", broken);
        for command in ["status keys", "rotate keys", "revoke keys a"] {
            let output = folder.run(command);
            assert!(
                output.failed(1).starts_with("tower-jwks: keys"),
                "{output:?}"
            );
            assert!(!output.complained.contains("private_key"), "{output:?}");
        }
        assert_eq!(folder.read("keys/ring.json"), broken);
    }
}
