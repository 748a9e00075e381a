//! The real program, started for one test.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioIo},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    backend::Backend,
    idp::{AUDIENCE, ISSUER, Idp},
};

/// The files of a gateway that is yet to start.
#[derive(Debug)]
pub(crate) struct Files {
    folder: PathBuf,
    apis: Vec<String>,
    issuers: String,
    more: String,
}

impl Files {
    /// Settings that trust `idp`, in a folder of their own.
    pub(crate) fn new(idp: &Idp) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("gateway-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let issuers = format!(
            "issuers: [{{issuer: {ISSUER}, audiences: [{AUDIENCE}], jwks: {{file: jwks.json}}}}]\n"
        );
        let files = Self {
            folder,
            apis: Vec::new(),
            issuers,
            more: String::new(),
        };
        files.write("jwks.json", &idp.jwks());
        files
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.folder.join(name);
        fs::write(&file, text).unwrap();
        file
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Adds an apk-conf.
    pub(crate) fn api(mut self, conf: &str) -> Self {
        let name = format!("api-{}.yaml", self.apis.len());
        self.write(&name, conf);
        self.apis.push(name);
        self
    }

    /// Takes these issuers instead.
    pub(crate) fn issuers(mut self, issuers: &str) -> Self {
        issuers.clone_into(&mut self.issuers);
        self
    }

    /// Adds this to the settings.
    pub(crate) fn more(mut self, more: &str) -> Self {
        more.clone_into(&mut self.more);
        self
    }

    pub(crate) fn settings(&self) -> PathBuf {
        let apis = json!(self.apis);
        self.write(
            "gateway.yaml",
            &format!(
                "listen: 127.0.0.1:0\napis: {apis}\n{}{}",
                self.issuers, self.more
            ),
        )
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs `gateway --check`: the exit code, and what it complains about.
    pub(crate) fn check(&self) -> (Option<i32>, String) {
        self.check_logging("error")
    }

    /// Also what it logs, from this level on.
    pub(crate) fn check_logging(&self, level: &str) -> (Option<i32>, String) {
        let output = program()
            .env("RUST_LOG", format!("gateway={level}"))
            .arg("--config")
            .arg(self.settings())
            .arg("--check")
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    /// What `gateway --check` says of what would be served.
    pub(crate) fn checked(&self) -> String {
        let mut command = program();
        command.arg("--config").arg(self.settings()).arg("--check");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    pub(crate) fn start(&self) -> Gateway {
        self.start_with(&[])
    }

    pub(crate) fn start_with(&self, environment: &[(&str, &Path)]) -> Gateway {
        self.run(program().envs(environment.iter().copied()))
    }

    /// With a log, from `info` on, in a file.
    pub(crate) fn start_logging(&self, file: &str) -> Gateway {
        let log = fs::File::create(self.folder.join(file)).unwrap();
        self.run(program().env("RUST_LOG", "info").stderr(log))
    }

    fn run(&self, command: &mut Command) -> Gateway {
        let mut child = command
            .arg("--config")
            .arg(self.settings())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut announcement = String::new();
        // Ends with the line that is printed last, when the gateway listens already.
        while !announcement.contains("signing with ") {
            assert_ne!(
                said.read_line(&mut announcement).unwrap(),
                0,
                "it did not start: {announcement}"
            );
        }
        let address = |after: &str| {
            let (_, rest) = announcement.split_once(after)?;
            Some(rest.split_whitespace().next()?.parse().unwrap())
        };
        Gateway {
            address: address("listening on http://").unwrap(),
            admin: address("admin at http://"),
            child,
            said,
            announcement,
        }
    }
}

/// A gateway that has started has read them.
impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command.env("RUST_LOG", "gateway=error");
    command
}

/// A running gateway.
#[derive(Debug)]
pub(crate) struct Gateway {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
    /// What it printed when it started.
    pub(crate) announcement: String,
    pub(crate) address: SocketAddr,
    admin: Option<SocketAddr>,
}

/// What a client gets.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// What the backend saw in a field, if it saw one.
    pub(crate) fn seen(&self, field: &str) -> Option<String> {
        assert_eq!(self.status, 200, "{self:?}");
        match &self.json()["headers"][field] {
            Value::Null => None,
            Value::Array(values) if values.len() == 1 => {
                Some(values[0].as_str().unwrap().to_owned())
            }
            several => panic!("{field}: {several}"),
        }
    }
}

impl Gateway {
    /// A GET with these header fields.
    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, "").await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &'static str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        fetch(request.body(Full::from(body)).unwrap()).await
    }

    /// Asks at the admin address.
    pub(crate) async fn ask(&self, method: &str, path: &str) -> Answer {
        let request = Request::builder().method(method).uri(self.admin_url(path));
        fetch(request.body(Full::default()).unwrap()).await
    }

    pub(crate) fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin.unwrap())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends these bytes and reads to the end; the request has to ask for the connection to be closed.
    pub(crate) async fn raw(&self, request: &str) -> String {
        Self::raw_at(self.address, request).await
    }

    /// The same at the admin address.
    pub(crate) async fn raw_admin(&self, request: &str) -> String {
        Self::raw_at(self.admin.unwrap(), request).await
    }

    async fn raw_at(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    /// A connection that speaks HTTP/2 from the start.
    pub(crate) async fn http2<B>(&self) -> hyper::client::conn::http2::SendRequest<B>
    where
        B: http_body::Body<Data = Bytes, Error: Into<tower::BoxError>> + Unpin + Send + 'static,
    {
        let stream = TokioIo::new(TcpStream::connect(self.address).await.unwrap());
        let (sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
                .await
                .unwrap();
        tokio::spawn(connection);
        sender
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for the line that says that the gateway has begun to end.
    pub(crate) fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line
    }

    /// Waits until the process has ended.
    pub(crate) fn ended(mut self) -> ExitStatus {
        let mut rest = String::new();
        self.said.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap()
    }
}

/// Tries until there is something: what changes it happens in another process, which does not tell.
pub(crate) async fn eventually<T>(attempt: impl AsyncFn() -> Option<T>) -> T {
    for _ in 0..500 {
        if let Some(outcome) = attempt().await {
            return outcome;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it has not come within 10 seconds")
}

/// Asks until the answer has this status.
pub(crate) async fn until(status: u16, ask: impl AsyncFn() -> Answer) -> Answer {
    eventually(async || Some(ask().await).filter(|answer| answer.status == status)).await
}

/// Sends a request over HTTP/1.1.
pub(crate) async fn fetch(request: Request<Full<Bytes>>) -> Answer {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An apk-conf with these operations, in front of the backend's `/base`.
pub(crate) fn conf(backend: &Backend, operations: &str) -> String {
    conf_for(&format!("http://{}/base", backend.address), operations)
}

pub(crate) fn conf_for(endpoint: &str, operations: &str) -> String {
    format!(
        "name: orders
basePath: /orders
version: 1.0.0
type: REST
endpointConfigurations: {{production: {{endpoint: '{endpoint}'}}}}
operations: {operations}
"
    )
}

/// An apk-conf whose operations all get a backend JWT.
pub(crate) fn minting(conf: &str) -> String {
    format!("{conf}apiPolicies: {{request: [{{policyName: BackendJwt, parameters: {{}}}}]}}\n")
}

/// A backend, an identity provider, and a gateway with this one API.
pub(crate) async fn serving(operations: &str) -> (Gateway, Backend, Idp) {
    let backend = Backend::start().await;
    let idp = Idp::new();
    let gateway = Files::new(&idp)
        .api(&minting(&conf(&backend, operations)))
        .start();
    (gateway, backend, idp)
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
