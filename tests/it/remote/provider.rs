//! An identity provider that can misbehave, over HTTP/1.1 within the process: no socket, so that
//! time stands still while bytes move, and a test decides how it passes.

use super::time::TestClock;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tests::forge::ISSUER;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::sleep,
};
use tower::Service;
use tower_jwks::{BytesBody, Jwk, JwkSet, RemoteJwks, RemoteJwksBuilder, SigningKey};

/// Where its keys are.
pub(super) const JWKS_URI: &str = "https://idp.example.com/keys";

/// What it does with a request.
#[derive(Clone, Debug)]
pub(super) enum Behavior {
    /// Answers as it should, with these further fields.
    Serves(&'static str),
    /// The same, after some time.
    Slow(Duration),
    /// Says nothing, for ever.
    Hangs,
    /// Sends a byte each second.
    Drips,
    /// Ends in the middle of what it announced.
    Truncates,
    /// Announces nothing, and sends up to 256 MiB.
    Floods,
    /// Answers this status line and these fields, without a body.
    Answers(&'static str),
    /// Answers `200` with these fields and this body.
    Says(&'static str, String),
    /// Cannot be connected to.
    Down,
    /// Makes the HTTP client panic.
    Panics,
}

/// The provider, and at the same time the HTTP client that reaches it.
#[derive(Clone, Debug)]
pub(super) struct Provider(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    set: Mutex<String>,
    etag: AtomicU64,
    behavior: Mutex<Behavior>,
    /// What it does with requests for something else than keys, if that is something else.
    elsewhere: Mutex<Option<Behavior>>,
    /// Where its keys are.
    place: Mutex<&'static str>,
    /// The heads of the requests.
    seen: Mutex<Vec<String>>,
    /// Bytes of bodies that could be sent.
    sent: AtomicU64,
}

impl Provider {
    /// It publishes this key.
    pub(super) fn of(key: &SigningKey) -> Self {
        let provider = Self(Arc::new(Inner {
            set: Mutex::default(),
            etag: AtomicU64::new(0),
            behavior: Mutex::new(Behavior::Serves("")),
            elsewhere: Mutex::default(),
            place: Mutex::new("/keys"),
            seen: Mutex::default(),
            sent: AtomicU64::new(0),
        }));
        provider.publish([key.jwk().clone()]);
        provider
    }

    /// It publishes these keys from now on.
    pub(super) fn publish(&self, keys: impl IntoIterator<Item = Jwk>) {
        self.publish_json(JwkSet::new(keys).unwrap().json());
    }

    pub(super) fn publish_json(&self, set: &str) {
        set.clone_into(&mut lock(&self.0.set));
        self.0.etag.fetch_add(1, Ordering::SeqCst);
    }

    /// It behaves like this from now on.
    pub(super) fn behave(&self, behavior: Behavior) {
        *lock(&self.0.behavior) = behavior;
    }

    /// It behaves like this when it is asked for something else than keys.
    pub(super) fn behave_elsewhere(&self, behavior: Behavior) {
        *lock(&self.0.elsewhere) = Some(behavior);
    }

    /// Its keys are there from now on, in their first version, and are these.
    pub(super) fn move_to(&self, place: &'static str, keys: impl IntoIterator<Item = Jwk>) {
        *lock(&self.0.place) = place;
        self.publish(keys);
        self.0.etag.store(1, Ordering::SeqCst);
    }

    /// What it does with a request for this path.
    fn behavior_at(&self, path: &str) -> Behavior {
        let elsewhere = lock(&self.0.elsewhere).clone();
        let behavior = lock(&self.0.behavior).clone();
        match elsewhere {
            Some(elsewhere) if path != *lock(&self.0.place) => elsewhere,
            _ => behavior,
        }
    }

    /// How often it was asked for its keys.
    pub(super) fn fetches(&self) -> usize {
        self.requests_for("/keys").len()
    }

    /// The heads of the requests for this path.
    pub(super) fn requests_for(&self, path: &str) -> Vec<String> {
        let line = format!("GET {path} HTTP/1.1\r\n");
        let seen = lock(&self.0.seen);
        seen.iter()
            .filter(|head| head.starts_with(&line))
            .cloned()
            .collect()
    }

    /// How many bytes of bodies it got rid of.
    pub(super) fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::SeqCst)
    }

    /// Its keys, without discovery.
    pub(super) fn at(&self, clock: &TestClock) -> RemoteJwksBuilder {
        let keys = RemoteJwks::at(ISSUER, JWKS_URI);
        keys.client(self.clone()).clock(*clock)
    }

    /// Its keys, by discovery.
    pub(super) fn discovered(&self, clock: &TestClock) -> RemoteJwksBuilder {
        let keys = RemoteJwks::discover(ISSUER);
        keys.client(self.clone()).clock(*clock)
    }

    async fn serve(self, mut stream: DuplexStream) -> io::Result<()> {
        let head = read_head(&mut stream).await?;
        lock(&self.0.seen).push(head.clone());
        let path = head.split(' ').nth(1).unwrap_or_default();
        match self.behavior_at(path) {
            Behavior::Serves(fields) => self.answer(&mut stream, &head, fields).await,
            Behavior::Slow(duration) => {
                sleep(duration).await;
                self.answer(&mut stream, &head, "").await
            }
            Behavior::Drips => {
                let set = lock(&self.0.set).clone();
                self.start(&mut stream, JSON, set.len()).await?;
                for byte in set.bytes() {
                    sleep(Duration::from_secs(1)).await;
                    self.send(&mut stream, &[byte]).await?;
                }
                Ok(())
            }
            Behavior::Truncates => {
                let set = lock(&self.0.set).clone();
                self.start(&mut stream, JSON, set.len()).await?;
                self.send(&mut stream, &set.as_bytes()[..set.len() / 2])
                    .await
            }
            Behavior::Floods => {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
                    .await?;
                self.send(&mut stream, br#"{"keys":[],"padding":""#).await?;
                for _ in 0..256 * 1024 {
                    self.send(&mut stream, &[b' '; 1024]).await?;
                }
                Ok(())
            }
            Behavior::Answers(head) => {
                let head = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(head.as_bytes()).await
            }
            Behavior::Says(fields, body) => {
                self.start(&mut stream, fields, body.len()).await?;
                self.send(&mut stream, body.as_bytes()).await
            }
            Behavior::Hangs | Behavior::Down | Behavior::Panics => {
                std::future::pending::<()>().await;
                drop(stream);
                Ok(())
            }
        }
    }

    async fn answer(&self, stream: &mut DuplexStream, head: &str, fields: &str) -> io::Result<()> {
        let set = lock(&self.0.set).clone();
        let place = *lock(&self.0.place);
        let body = if head.starts_with(&format!("GET {place} ")) {
            set
        } else if head.starts_with("GET /.well-known/openid-configuration ") {
            json!({"issuer": ISSUER, "jwks_uri": format!("{ISSUER}{place}")}).to_string()
        } else {
            return stream
                .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                .await;
        };
        // Of the metadata, which changes only with the place.
        let etag = match body.contains("jwks_uri") {
            true => format!("etag: \"{place}\"\r\n"),
            false => format!("etag: \"{}\"\r\n", self.0.etag.load(Ordering::SeqCst)),
        };
        if head.contains(&etag.replace("etag", "if-none-match")) {
            let head = format!("HTTP/1.1 304 Not Modified\r\n{etag}{fields}\r\n");
            return stream.write_all(head.as_bytes()).await;
        }
        self.start(stream, &format!("{JSON}{etag}{fields}"), body.len())
            .await?;
        self.send(stream, body.as_bytes()).await
    }

    async fn start(
        &self,
        stream: &mut DuplexStream,
        fields: &str,
        length: usize,
    ) -> io::Result<()> {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n{fields}\r\n");
        stream.write_all(head.as_bytes()).await
    }

    async fn send(&self, stream: &mut DuplexStream, bytes: &[u8]) -> io::Result<()> {
        stream.write_all(bytes).await?;
        self.0.sent.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(())
    }
}

/// What it says of a good answer.
pub(super) const JSON: &str = "content-type: application/json\r\n";

async fn read_head(stream: &mut DuplexStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).expect("a head of ASCII"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics while it holds it")
}

impl Service<Request<BytesBody>> for Provider {
    type Response = Response<Incoming>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<BytesBody>) -> Self::Future {
        let provider = self.clone();
        Box::pin(async move {
            match provider.behavior_at(request.uri().path()) {
                Behavior::Down => return Err("connection refused".into()),
                Behavior::Panics => panic!("a bug in somebody's client"),
                _ => {}
            }
            let (ours, theirs) = duplex(16 * 1024);
            tokio::spawn(provider.serve(theirs));
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(TokioIo::new(ours)).await?;
            tokio::spawn(connection);
            let host = request.uri().host().expect("an absolute URI").to_owned();
            let path = request.uri().path_and_query().expect("a path").as_str();
            *request.uri_mut() = path.parse()?;
            request.headers_mut().insert("host", host.parse()?);
            Ok(sender.send_request(request).await?)
        })
    }
}

/// A set with these members of `keys`.
pub(super) fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// The bytes of a set that is as large as may be, or larger by some.
pub(super) fn padded(set: &str, length: usize) -> String {
    let start = set.strip_suffix('}').expect("an object");
    let frame = r#","padding":""}"#.len();
    format!(
        r#"{start},"padding":"{}"}}"#,
        " ".repeat(length - start.len() - frame)
    )
}
