//! Runs the program.

#![allow(clippy::unwrap_used, reason = "a test that fails should panic")]

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tonic-api"))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn what_clients_get_is_shown() {
    let output = run(&["--once", "--listen", "127.0.0.1:0"]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "Unauthenticated",
        "PermissionDenied",
        "You are alice, and call through demo-client.",
        "Hello, alice (3 of 3)",
        "http://wso2.org/claims/apiname",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn a_wrong_command_line_is_told_from_a_call_for_help() {
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: tonic-api"));
    for (arguments, named) in [(&["--listen", "nowhere"][..], "nowhere"), (&["x"], "\"x\"")] {
        let wrong = run(arguments);
        assert_eq!(wrong.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&wrong.stderr).contains(named),
            "{wrong:?}"
        );
    }
}
