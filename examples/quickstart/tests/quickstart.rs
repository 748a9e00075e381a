//! Runs the program, as a newcomer does.

#![allow(clippy::unwrap_used, reason = "a test that fails should panic")]

use std::{
    io::{BufRead, BufReader, Lines},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_quickstart");

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

#[test]
fn one_exchange_is_shown_from_the_access_token_to_the_answer() {
    let output = run(&["--once"]);
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut rest = text.as_str();
    // In this order.
    for part in [
        "issues an access token",
        "iss        http://127.0.0.1:",
        "aud        orders\n",
        "scope      email openid profile",
        "/orders\n       Authorization: Bearer eyJ",
        "the provider's key, which it has discovered",
        "X-JWT-Assertion: eyJ0eXAiOiJKV1Qi….",
        "iss                                     wso2.org/products/am",
        "aud                                     orders-backend",
        "http://wso2.org/claims/apiname          orders",
        "azp                                     IMJB5ZiR1dHQYBdiMIRAGis1WToa",
        "verified with the key published at http://127.0.0.1:",
        "/.wellknown/jwks\n   (RS256, kid ",
        "2 orders for testmail@example.com of test",
    ] {
        let found = rest.find(part);
        let start = found.unwrap_or_else(|| panic!("{part:?} is not in\n{rest}"));
        rest = &rest[start + part.len()..];
    }
}

#[test]
fn the_printed_commands_work_when_they_are_pasted() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "curl is missing");
        eprintln!("SKIPPED: curl is missing");
        return;
    }
    let mut quickstart = Serving::start();
    let printed = quickstart.printed_commands();
    let (token, calls) = printed.split_first().unwrap();
    assert!(token.starts_with("TOKEN=$(curl"), "{token}");

    let paste = |call: &String| {
        let pasted = Command::new("sh")
            .env("no_proxy", "*")
            .args(["-c", &format!("{token}\n{call}")])
            .output();
        String::from_utf8(pasted.unwrap().stdout).unwrap()
    };
    let answers: Vec<String> = calls.iter().map(paste).collect();
    let [good, without, forged, past_the_gateway, jwks] = answers.as_slice() else {
        panic!("{calls:#?}");
    };
    assert!(good.starts_with("HTTP/1.1 200 "), "{good}");
    assert!(good.contains("testmail@example.com"), "{good}");
    assert!(without.starts_with("HTTP/1.1 401 "), "{without}");
    assert!(without.contains("www-authenticate: Bearer"), "{without}");
    assert!(forged.starts_with("HTTP/1.1 200 "), "{forged}");
    assert!(
        past_the_gateway.starts_with("HTTP/1.1 401 "),
        "{past_the_gateway}"
    );
    assert!(jwks.starts_with("HTTP/1.1 200 "), "{jwks}");
    assert!(jwks.contains(r#"{"keys":[{"#), "{jwks}");

    // The good call and the forged one, and neither as the client pretended it.
    for _ in 0..2 {
        let line = quickstart.lines.next().unwrap().unwrap();
        assert!(
            line.starts_with("the backend saw X-JWT-Assertion: eyJ"),
            "{line}"
        );
    }
    quickstart.interrupt();
    assert!(quickstart.child.wait().unwrap().success());
}

#[test]
fn a_wrong_command_line_is_told_from_a_call_for_help() {
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: quickstart"));

    let wrong = run(&["--twice"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("--twice"));
}

/// The program without `--once`; killed when this is dropped.
struct Serving {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Serving {
    fn start() -> Self {
        let mut child = Command::new(PROGRAM)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    fn printed_commands(&mut self) -> Vec<String> {
        let mut commands = Vec::new();
        for line in self.lines.by_ref().map(Result::unwrap) {
            let command = line.trim_start();
            if command.starts_with("TOKEN=") || command.starts_with("curl ") {
                commands.push(command.to_owned());
            }
            // The last of them.
            if command.ends_with("/.wellknown/jwks") && command.starts_with("curl ") {
                break;
            }
        }
        // The empty line after it.
        self.lines.next();
        commands
    }

    /// Ctrl-C.
    fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
