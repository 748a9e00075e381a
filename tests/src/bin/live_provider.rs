//! Keys fetched from a real identity provider, which rotates them, dies and returns;
//! `cargo xtask test interop` runs it.
//!
//! ```text
//! live_provider DIRECTORY     where provider.mjs and tokens.mjs of tests/interop/provider are, with
//!                             their packages installed
//! ```

use std::{
    convert::Infallible,
    error::Error,
    path::Path,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use tests::identity_provider::Provider;
use tokio::time::{sleep, timeout};
use tower::{Layer, ServiceExt, service_fn};
use tower_backend_jwt::{AccessTokenLayer, Issuer, VerifiedToken};

type Failure = Box<dyn Error + Send + Sync>;

const AUDIENCE: &str = "orders";
const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];
const GRANTS: [&str; 2] = ["client_credentials", "authorization_code"];

/// How soon things have to have happened that happen in the background.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [directory] => run(Path::new(directory)).await,
        _ => Err("usage: live_provider DIRECTORY".into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(directory: &Path) -> Result<(), Failure> {
    let _ = std::fs::remove_file(directory.join("keys.json"));
    let mut provider = Provider::start(directory, 0, &[])?;
    let issuer = Issuer::discover(provider.issuer())
        .audience(AUDIENCE)
        .build()?;
    timeout(PATIENCE, issuer.ready())
        .await
        .map_err(|_| format!("no keys: {:?}", issuer.status()))?;
    tokens_of_every_kind(&provider, &issuer).await?;
    let current = rotation_while_requests_run(&provider, &issuer).await?;
    death_and_return(directory, &mut provider, &issuer, &current).await
}

async fn tokens_of_every_kind(provider: &Provider, issuer: &Issuer) -> Result<(), Failure> {
    for algorithm in ALGORITHMS {
        for grant in GRANTS {
            let token = provider.token(&[grant, algorithm])?;
            expect(issuer, &token, StatusCode::OK).await?;
            let verified = tower_backend_jwt::Verifier::from(issuer.clone()).verify(&token)?;
            let subject = match grant {
                "client_credentials" => ("service", "service"),
                _ => ("alice", "web"),
            };
            let found = (
                verified.subject().unwrap_or_default(),
                verified.client_id().unwrap_or_default(),
            );
            if found != subject || !verified.has_scope("orders:read") {
                return Err(format!("{algorithm}, {grant}: not the caller's: {found:?}").into());
            }
            let (start, signature) = token.rsplit_once('.').ok_or("no signature")?;
            let flipped = if signature.starts_with('A') { "B" } else { "A" };
            let forged = format!("{start}.{flipped}{}", &signature[1..]);
            expect(issuer, &forged, StatusCode::UNAUTHORIZED).await?;
        }
    }
    println!(
        "oidc-provider: {} tokens accepted, each refused with another signature",
        ALGORITHMS.len() * GRANTS.len()
    );
    Ok(())
}

/// A token of the new keys.
async fn rotation_while_requests_run(
    provider: &Provider,
    issuer: &Issuer,
) -> Result<String, Failure> {
    let before = provider.token(&["client_credentials", "ES256"])?;
    // The key is withdrawn in the middle.
    let answers = [StatusCode::OK, StatusCode::UNAUTHORIZED];
    let load = Load::start(issuer, &before, &answers);
    provider.rotate().await?;
    let after = provider.token(&["client_credentials", "ES256"])?;
    let start = Instant::now();
    expect(issuer, &after, StatusCode::OK).await?;
    let took = start.elapsed();
    // Its key is withdrawn, and that is known since the new one is.
    expect(issuer, &before, StatusCode::UNAUTHORIZED).await?;
    let requests = load.end().await?;
    println!(
        "oidc-provider: rotated under {requests} requests; the first token of a new key was \
         accepted after {took:?}"
    );
    Ok(after)
}

async fn death_and_return(
    directory: &Path,
    provider: &mut Provider,
    issuer: &Issuer,
    current: &str,
) -> Result<(), Failure> {
    let port = provider.port()?;
    provider.kill()?;

    // A second program starts meanwhile.
    let late = Issuer::discover(provider.issuer())
        .audience(AUDIENCE)
        .build()?;
    let load = Load::start(issuer, current, &[StatusCode::OK]);
    let failed = || {
        late.status()
            .fetching
            .is_some_and(|fetching| fetching.failures > 0)
    };
    until("the failure is known", failed).await?;
    expect(&late, current, StatusCode::SERVICE_UNAVAILABLE).await?;
    expect(issuer, current, StatusCode::OK).await?;

    *provider = Provider::start(directory, port, &[])?;
    let start = Instant::now();
    timeout(PATIENCE, late.ready())
        .await
        .map_err(|_| format!("no keys: {:?}", late.status()))?;
    let took = start.elapsed();
    for issuer in [issuer, &late] {
        // Signed before it died, with a key that it has come back with.
        expect(issuer, current, StatusCode::OK).await?;
    }
    let requests = load.end().await?;
    provider.rotate().await?;
    let after = provider.token(&["client_credentials", "RS256"])?;
    for issuer in [issuer, &late] {
        expect(issuer, &after, StatusCode::OK).await?;
    }
    println!(
        "oidc-provider: died and returned under {requests} requests; a program that had started \
         without it had its keys after {took:?}"
    );
    Ok(())
}

/// Requests with one token, from two tasks, until it is ended; nothing but certain answers may come.
struct Load {
    going: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<Result<(), Failure>>>,
}

impl Load {
    fn start(issuer: &Issuer, token: &str, answers: &[StatusCode]) -> Self {
        let going = Arc::new(AtomicBool::new(true));
        let sent = Arc::new(AtomicU64::new(0));
        let tasks = (0..2)
            .map(|_| {
                let (issuer, token) = (issuer.clone(), token.to_owned());
                let answers = answers.to_vec();
                let (going, sent) = (Arc::clone(&going), Arc::clone(&sent));
                tokio::spawn(async move {
                    while going.load(Ordering::Relaxed) {
                        let status = status(&issuer, &token).await;
                        if !answers.contains(&status) {
                            return Err(format!("a request was answered {status}").into());
                        }
                        sent.fetch_add(1, Ordering::Relaxed);
                        sleep(Duration::from_millis(1)).await;
                    }
                    Ok(())
                })
            })
            .collect();
        Self { going, sent, tasks }
    }

    async fn end(self) -> Result<u64, Failure> {
        self.going.store(false, Ordering::Relaxed);
        for task in self.tasks {
            task.await??;
        }
        Ok(self.sent.load(Ordering::Relaxed))
    }
}

async fn until(what: &str, mut happened: impl FnMut() -> bool) -> Result<(), Failure> {
    let start = Instant::now();
    while !happened() {
        if start.elapsed() > PATIENCE {
            return Err(format!("{what}: not within {PATIENCE:?}").into());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn expect(issuer: &Issuer, token: &str, expected: StatusCode) -> Result<(), Failure> {
    let status = status(issuer, token).await;
    if status == expected {
        return Ok(());
    }
    let state = issuer.status();
    Err(format!("a token was answered {status}, not {expected}: {state:?}").into())
}

/// What a request with this token is answered.
async fn status(issuer: &Issuer, token: &str) -> StatusCode {
    let service = service_fn(async |request: Request<()>| {
        assert!(request.extensions().get::<VerifiedToken>().is_some());
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let request = Request::get("/orders").header("authorization", format!("Bearer {token}"));
    let request = request.body(()).expect("a request");
    let service = AccessTokenLayer::new(issuer.clone()).layer(service);
    let Ok(response) = service.oneshot(request).await;
    response.status()
}
