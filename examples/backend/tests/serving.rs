//! Runs the program, in the place of its gateway and of its callers.

#![allow(clippy::unwrap_used, reason = "a test that fails should panic")]

use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Lines, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};
use tower_jwks::{Algorithm, Clock, JwkSet, SigningKey, SystemClock};

const PROGRAM: &str = env!("CARGO_BIN_EXE_backend");

/// The program; killed when this is dropped.
struct Backend {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: String,
}

impl Backend {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut backend = Self {
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            child,
            address: String::new(),
        };
        let line = backend.line("Listening at http://");
        backend.address = line.split(' ').next().unwrap().to_owned();
        backend
    }

    /// What follows `start` in the first line that begins with it.
    fn line(&mut self, start: &str) -> String {
        let mut lines = self.lines.by_ref().map(Result::unwrap);
        let line = lines.find_map(|line| line.strip_prefix(start).map(str::to_owned));
        line.unwrap()
    }

    /// The status and the body of the answer to a request with these headers.
    fn call(&self, headers: &[(&str, &str)]) -> (String, String) {
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "PUT /anything/test?q=1 HTTP/1.1\r\nhost: {}\r\n{headers}connection: close\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head["HTTP/1.1 ".len()..][..3].to_owned(), body.to_owned())
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The gateway: its key, and what it says with it.
struct Gateway(SigningKey);

impl Gateway {
    fn new() -> Self {
        Self(SigningKey::generate(Algorithm::ES256).unwrap())
    }

    fn jwks(&self) -> String {
        JwkSet::new([self.0.jwk().clone()])
            .unwrap()
            .json()
            .to_owned()
    }

    fn jwks_file(&self, name: &str) -> String {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, self.jwks()).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    fn says(&self, change: impl FnOnce(&mut Value)) -> String {
        let now = SystemClock.now().as_secs();
        let mut claims = json!({
            "iss": "wso2.org/products/am",
            "sub": "alice",
            "iat": now,
            "exp": now + 60,
            "http://wso2.org/claims/apiname": "orders",
        });
        change(&mut claims);
        self.0
            .sign_jws("JWT", claims.to_string().as_bytes())
            .unwrap()
    }
}

#[test]
fn who_is_calling_is_echoed_and_nobody_else() {
    let gateway = Gateway::new();
    let backend = Backend::start(&["--jwks-file", &gateway.jwks_file("echoed.json")]);

    let jwt = gateway.says(|_| ());
    let (status, body) = backend.call(&[("X-JWT-Assertion", &jwt), ("X-Request-Id", "1")]);
    assert_eq!(status, "200");
    let echo: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(echo["method"], "PUT");
    assert_eq!(echo["path"], "/anything/test?q=1");
    assert_eq!(
        echo["headers"],
        json!(["connection", "host", "x-jwt-assertion", "x-request-id"])
    );
    assert_eq!(echo["claims"]["sub"], "alice");
    assert_eq!(echo["claims"]["http://wso2.org/claims/apiname"], "orders");
    assert!(!body.contains(&jwt));

    let forged = Gateway::new().says(|_| ());
    let of_another = gateway.says(|claims| claims["iss"] = "https://gateway.example.com".into());
    let expired = gateway.says(|claims| claims["exp"] = 1.into());
    for headers in [
        &[][..],
        &[("X-JWT-Assertion", forged.as_str())],
        &[("X-JWT-Assertion", &of_another)],
        &[("X-JWT-Assertion", &expired)],
        // Where the gateway does not put it.
        &[("Authorization", &format!("Bearer {jwt}"))],
    ] {
        assert_eq!(backend.call(headers).0, "401", "{headers:?}");
    }
}

#[test]
fn what_is_meant_for_another_service_is_refused_if_an_audience_is_named() {
    let gateway = Gateway::new();
    let file = gateway.jwks_file("audience.json");
    let backend = Backend::start(&["--jwks-file", &file, "--audience", "a", "--audience", "b"]);
    for (audience, status) in [("a", "200"), ("b", "200"), ("c", "401")] {
        let jwt = gateway.says(|claims| claims["aud"] = audience.into());
        assert_eq!(
            backend.call(&[("X-JWT-Assertion", &jwt)]).0,
            status,
            "{audience}"
        );
    }
    let jwt = gateway.says(|_| ());
    assert_eq!(backend.call(&[("X-JWT-Assertion", &jwt)]).0, "401");
}

#[test]
fn until_the_gateway_hands_out_its_keys_callers_are_told_to_come_back() {
    let gateway = Gateway::new();
    let jwt = gateway.says(|_| ());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let mut backend = Backend::start(&["--jwks", &url]);
    let answer = |status: &str, body: &str| {
        let (mut stream, _) = listener.accept().unwrap();
        let request = BufReader::new(&stream).lines().next().unwrap().unwrap();
        assert_eq!(request, "GET /keys HTTP/1.1");
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close");
        write!(stream, "{head}\r\n\r\n{body}").unwrap();
    };

    assert_eq!(backend.call(&[("X-JWT-Assertion", &jwt)]).0, "503");
    answer("502 Bad Gateway", "");
    assert!(
        backend
            .line("Waiting for the gateway's keys")
            .ends_with("502 Bad Gateway")
    );
    answer("200 OK", "nonsense");
    assert!(
        backend
            .line("Waiting for the gateway's keys")
            .contains("is not a JWK Set")
    );
    answer("200 OK", &gateway.jwks());
    backend.line("The gateway's keys are here");
    assert_eq!(backend.call(&[("X-JWT-Assertion", &jwt)]).0, "200");
}

#[test]
fn a_wrong_command_line_is_told_from_a_call_for_help() {
    let run = |arguments: &[&str]| Command::new(PROGRAM).args(arguments).output().unwrap();
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: backend"));
    for (arguments, named) in [
        (
            &["--jwks", "https://gateway.example.com/jwks"][..],
            "--jwks-file",
        ),
        (&["--jwks", "http://a/", "--jwks-file", "b"], "one place"),
        (&["--jwks-file", "no/such/file"], "no/such/file"),
        (&["--header", "no header"], "no header"),
        (&["--listen", "nowhere"], "nowhere"),
        (&["--issuer", "", "--listen", "127.0.0.1:0"], "issuer"),
        (&["--port", "1"], "--port"),
    ] {
        let wrong = run(arguments);
        assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
        assert!(
            String::from_utf8_lossy(&wrong.stderr).contains(named),
            "{wrong:?}"
        );
    }
}
