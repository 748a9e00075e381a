//! The command line itself.

use crate::Folder;
use serde_json::Value;

#[test]
fn there_is_help_for_all_and_for_each() {
    let folder = Folder::new();
    for (arguments, parts) in [
        (
            "--help",
            &["Usage: tower-jwks COMMAND DIR", "Exit codes: "][..],
        ),
        ("-h", &["Usage: tower-jwks COMMAND DIR"]),
        (
            "init --help",
            &["Usage: tower-jwks init DIR", "--token-life TIME"],
        ),
        ("status -h", &["Usage: tower-jwks status DIR"]),
        ("rotate keys --help", &["Usage: tower-jwks rotate DIR"]),
        (
            "revoke --help",
            &["Usage: tower-jwks revoke DIR KID", "NOTHING SIGNS"],
        ),
        ("import --help", &["Usage: tower-jwks import DIR PEM"]),
    ] {
        let output = folder.run(arguments);
        let said = output.done();
        for part in parts {
            assert!(said.contains(part), "{arguments}: {said}");
        }
        assert!(said.lines().all(|line| line.len() <= 92), "{said}");
    }
    for command in ["init", "status", "rotate", "revoke", "import"] {
        assert!(
            folder
                .run("--help")
                .done()
                .contains(&format!("  {command} DIR"))
        );
    }
}

#[test]
fn the_version_is_told() {
    let folder = Folder::new();
    let version = concat!("tower-jwks ", env!("CARGO_PKG_VERSION"), "\n");
    for argument in ["--version", "-V"] {
        assert_eq!(folder.run(argument).done(), version);
    }
}

#[test]
fn wrong_usage_is_said_with_where_help_is() {
    let folder = Folder::new();
    for (arguments, complaint) in [
        ("", "a command is missing; `tower-jwks --help` says more"),
        ("--json", "a command is missing"),
        (
            "remove keys",
            "there is no command \"remove\"; `tower-jwks --help` says more",
        ),
        (
            "init",
            "DIR, the ring's directory, is missing; `tower-jwks init --help` says more",
        ),
        ("rotate", "DIR, the ring's directory, is missing"),
        (
            "revoke keys",
            "KID is missing; `tower-jwks revoke --help` says more",
        ),
        ("import keys", "PEM is missing"),
        ("status keys more", "unexpected argument \"more\""),
        ("revoke keys a b", "unexpected argument \"b\""),
        ("revoke keys -x", "invalid option '-x'"),
        (
            "status keys --algorithm ES256",
            "invalid option '--algorithm'",
        ),
        ("init keys --interval 1d", "invalid option '--interval'"),
        ("init keys --algorithm HS256", "HS256"),
        (
            "init keys --algorithm",
            "missing argument for option '--algorithm'",
        ),
        (
            "status keys --kek-file",
            "missing argument for option '--kek-file'",
        ),
        (
            "status keys --kek-file a --kek-env b",
            "--kek-file and --kek-env exclude each other",
        ),
    ] {
        let output = folder.run(arguments);
        let complained = output.failed(2);
        assert!(complained.contains(complaint), "{arguments}: {complained}");
        assert!(
            complained.contains("--help` says more"),
            "{arguments}: {complained}"
        );
        assert!(!folder.path("keys").exists(), "{arguments}");
    }
}

#[test]
fn with_json_an_error_is_an_object_too() {
    let folder = Folder::new();
    for (arguments, code, part) in [
        ("--json", 2, "a command is missing"),
        ("status --json keys", 1, "there is no ring"),
        ("init keys --json --max-age x", 2, "--max-age"),
    ] {
        let output = folder.run(arguments);
        let error: Value = serde_json::from_str(output.failed(code)).unwrap();
        assert!(error["error"].as_str().unwrap().contains(part), "{error}");
        assert_eq!(error.as_object().unwrap().len(), 1);
    }
}
