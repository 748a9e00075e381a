//! Runs the program and calls it over its socket.

#![allow(clippy::unwrap_used, reason = "a test that fails should panic")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_axum-api");

/// The program; killed when this is dropped.
struct Serving {
    child: Child,
    address: String,
    token: String,
}

impl Serving {
    fn start() -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let after = |start: &str, line: &str| {
            let rest = line.trim_start().strip_prefix(start)?;
            rest.split_whitespace().next().map(str::to_owned)
        };
        let address = lines
            .find_map(|line| after("Serving at http://", &line))
            .unwrap();
        let token = lines.find_map(|line| after("TOKEN=", &line)).unwrap();
        Self {
            child,
            address,
            token,
        }
    }

    fn get(&self, path: &str, token: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let address = &self.address;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             connection: close\r\n\r\n"
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_printed_token_is_good_for_the_printed_address() {
    let serving = Serving::start();
    let response = serving.get("/orders", &serving.token);
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert!(response.ends_with("tea, biscuits\n"), "{response}");
    let response = serving.get("/orders", "forged");
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
}

#[test]
fn a_wrong_command_line_is_told_from_a_call_for_help() {
    let run = |arguments: &[&str]| Command::new(PROGRAM).args(arguments).output().unwrap();
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: axum-api"));
    for (arguments, named) in [
        (["--listen", "nowhere"], "nowhere"),
        (["--port", "1"], "--port"),
    ] {
        let wrong = run(&arguments);
        assert_eq!(wrong.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&wrong.stderr).contains(named),
            "{wrong:?}"
        );
    }
}
