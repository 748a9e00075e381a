//! Runs the program and calls it over its socket.

#![allow(clippy::unwrap_used, reason = "a test that fails should panic")]

use axum::Router;
use serde_json::json;
use std::{
    io::{BufRead, BufReader, Lines, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tokio::net::TcpListener;
use tower_jwks::{Algorithm, Clock, JwksLayer, KeyRing, SystemClock};

const PROGRAM: &str = env!("CARGO_BIN_EXE_axum-api");

/// The program; killed when this is dropped.
struct Serving {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Serving {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut serving = Self {
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            address: String::new(),
        };
        serving.address = serving.printed("Serving at http://");
        serving
    }

    /// The word after this, in the first line that starts with it.
    fn printed(&mut self, start: &str) -> String {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        let word = lines.find_map(|line| {
            let rest = line.trim_start().strip_prefix(start)?;
            rest.split_whitespace().next().map(str::to_owned)
        });
        word.unwrap()
    }

    /// As a client does that comes back after 503, which is answered until the keys are there.
    fn get_persistently(&self, path: &str, token: &str) -> String {
        let start = Instant::now();
        loop {
            let response = self.get(path, token);
            if !response.starts_with("HTTP/1.1 503 ") || start.elapsed().as_secs() > 30 {
                return response;
            }
            thread::sleep(Duration::from_millis(10));
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
    let mut serving = Serving::start(&[]);
    let token = serving.printed("TOKEN=");
    let response = serving.get("/orders", &token);
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    assert!(response.ends_with("tea, biscuits\n"), "{response}");
    let response = serving.get("/orders", "forged");
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tokens_of_a_provider_are_taken_by_its_url_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let keys = KeyRing::generate(Algorithm::ES256).unwrap();
    let layer = JwksLayer::new(keys.clone()).with_issuer_metadata(&url);
    let provider = Router::new().layer(layer.unwrap());
    tokio::spawn(async move { axum::serve(listener, provider).await });
    let token = |audience: &str| {
        let claims = json!({
            "iss": url,
            "aud": audience,
            "exp": SystemClock.now().as_secs() + 60,
            "scope": "orders:read",
        });
        let key = keys.signing_key().unwrap();
        key.sign_jws("at+jwt", claims.to_string().as_bytes())
            .unwrap()
    };

    let serving = Serving::start(&["--issuer", &url, "--audience", "shop"]);
    let response = serving.get_persistently("/orders", &token("shop"));
    assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
    let response = serving.get("/orders", &token("orders"));
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
}

#[test]
fn a_wrong_command_line_is_told_from_a_call_for_help() {
    let run = |arguments: &[&str]| Command::new(PROGRAM).args(arguments).output().unwrap();
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: axum-api"));
    for (arguments, named) in [
        (&["--listen", "nowhere"][..], "nowhere"),
        (&["--port", "1"], "--port"),
        (&["--issuer", "http://idp.example.com"], "without TLS"),
        (&["--issuer", "https://a", "--scope", "b"], "no token"),
        (&["--audience", "shop"], "--issuer"),
    ] {
        let wrong = run(arguments);
        assert_eq!(wrong.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&wrong.stderr).contains(named),
            "{wrong:?}"
        );
    }
}
