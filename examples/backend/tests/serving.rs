//! Runs the program, in the place of its gateway and of its callers.

#![allow(clippy::unwrap_used, reason = "a test that fails should panic")]

use axum::Router;
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};
use tokio::net::{TcpListener, TcpSocket};
use tower_jwks::{
    Algorithm, Clock, JwkSet, JwksLayer, KeysUnavailable, PublishKeys, PublishedKeys, SigningKey,
    SystemClock,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_backend");

/// The program; killed when this is dropped.
struct Backend {
    child: Child,
    address: String,
    output: Receiver<String>,
}

impl Backend {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, output) = channel();
        forward_lines(child.stdout.take().unwrap(), sender.clone());
        forward_lines(child.stderr.take().unwrap(), sender);
        let mut backend = Self {
            child,
            address: String::new(),
            output,
        };
        let line = backend.prints("Listening at http://");
        let (_, rest) = line.split_once("http://").unwrap();
        backend.address = rest.split(' ').next().unwrap().to_owned();
        backend
    }

    /// Waits for a line with this, be it printed or logged.
    fn prints(&self, text: &str) -> String {
        loop {
            let line = self.output.recv_timeout(Duration::from_secs(30)).unwrap();
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The status and the body of the answer to a request with these headers.
    fn call(&self, headers: &[(&str, &str)]) -> (String, String) {
        let (head, body) = self.exchange(headers);
        (head["HTTP/1.1 ".len()..][..3].to_owned(), body)
    }

    /// The status of the answer to a request with this JWT.
    fn status(&self, jwt: &str) -> String {
        self.call(&[("X-JWT-Assertion", jwt)]).0
    }

    fn exchange(&self, headers: &[(&str, &str)]) -> (String, String) {
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
        (head.to_owned(), body.to_owned())
    }
}

/// To the end, so that the program is never held up by a full pipe.
fn forward_lines(pipe: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let _ = lines.send(line);
        }
    });
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

    fn jwks(&self) -> JwkSet {
        JwkSet::new([self.0.jwk().clone()]).unwrap()
    }

    fn jwks_file(&self, name: &str) -> String {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, self.jwks().json()).unwrap();
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

/// What the gateway publishes now.
#[derive(Clone)]
struct Published(Arc<Mutex<JwkSet>>);

impl Published {
    fn new(gateway: &Gateway) -> Self {
        Self(Arc::new(Mutex::new(gateway.jwks())))
    }

    fn replace(&self, gateway: &Gateway) {
        *self.0.lock().unwrap() = gateway.jwks();
    }

    fn serve(self, listener: TcpListener) {
        let app = Router::new().layer(JwksLayer::new(self));
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
}

impl PublishKeys for Published {
    fn published(&self) -> Result<Arc<PublishedKeys>, KeysUnavailable> {
        PublishKeys::published(&*self.0.lock().unwrap())
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
        assert_eq!(backend.status(&jwt), status, "{audience}");
    }
    assert_eq!(backend.status(&gateway.says(|_| ())), "401");
}

#[tokio::test(flavor = "multi_thread")]
async fn until_the_gateway_is_there_callers_are_told_to_come_back() {
    let gateway = Gateway::new();
    let jwt = gateway.says(|_| ());
    // Nobody else can have its port, and nobody is answered there.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/.wellknown/jwks", socket.local_addr().unwrap());

    let backend = Backend::start(&["--jwks", &url]);
    let failure = backend.prints("the issuer's keys were not fetched");
    assert!(failure.contains(&url), "{failure}");
    let (head, _) = backend.exchange(&[("X-JWT-Assertion", &jwt)]);
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    assert!(head.contains("\r\nretry-after: "), "{head}");

    Published::new(&gateway).serve(socket.listen(16).unwrap());
    backend.prints("The gateway's keys are here.");
    assert_eq!(backend.status(&jwt), "200");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_request_with_a_new_key_of_the_gateway_is_accepted() {
    let (old, new) = (Gateway::new(), Gateway::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/.wellknown/jwks", listener.local_addr().unwrap());
    let published = Published::new(&old);
    published.clone().serve(listener);
    let backend = Backend::start(&["--jwks", &url]);
    backend.prints("The gateway's keys are here.");
    assert_eq!(backend.status(&old.says(|_| ())), "200");

    published.replace(&new);
    assert_eq!(backend.status(&new.says(|_| ())), "200");
    // What the gateway has withdrawn is not believed any more.
    assert_eq!(backend.status(&old.says(|_| ())), "401");
}

#[test]
fn a_wrong_command_line_is_told_from_a_call_for_help() {
    let run = |arguments: &[&str]| Command::new(PROGRAM).args(arguments).output().unwrap();
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("Usage: backend"));
    for (arguments, named) in [
        (
            &["--jwks", "http://gateway.example.com/jwks"][..],
            "without TLS",
        ),
        (&["--jwks", "gateway"], "\"gateway\" is not a URL"),
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
