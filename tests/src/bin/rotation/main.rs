//! Gateways whose keys rotate, verified by other languages' libraries with the caches that they have;
//! `cargo xtask rotation` runs it.
//!
//! ```text
//! rotation N DIRECTORY GATEWAY INTERPRETER PYTHON-SCRIPT NODE-SCRIPT
//!         until all gateways have rotated N times; DIRECTORY is emptied, for what the gateways read and
//!         write; GATEWAY is their program; the scripts are the two with the name `caching_client` in
//!         tests/interop, beside their packages
//! ```

mod callers;
mod checks;
mod documents;
mod fleet;
mod http;
mod jwt;
mod kill;
mod load;
mod proxy;
mod rotations;
mod tally;
mod verifier;
mod watch;

use ::http::{Request, Response, StatusCode};
use std::{
    error::Error,
    ffi::OsString,
    fs,
    future::ready,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use tokio::{net::TcpListener, process::Command};

use crate::{
    callers::Callers,
    checks::Checks,
    documents::{ALGORITHM, GRACE, ISSUER, KEYS, MAX_AGE},
    fleet::Fleet,
    http::{Answer, empty, serve},
    load::{Course, Load},
    proxy::Proxy,
    rotations::Rotations,
    tally::Tally,
    verifier::Verifier,
    watch::watch,
};

type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [number, paths @ ..] = arguments.as_slice() else {
        return usage();
    };
    let number = number.to_str().and_then(|text| text.parse().ok());
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    let (Some(wanted @ 1..), Ok(paths)) = (number, <[PathBuf; 5]>::try_from(paths)) else {
        return usage();
    };
    let tally = Arc::new(Tally::default());
    let rotations = Arc::new(Rotations::default());
    let result = run(wanted, &paths, &tally, &rotations).await;
    if let Err(error) = result {
        tally.ended(error);
    }
    println!("{}", tally.line(rotations.counted()));
    if tally.failures() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: rotation N DIRECTORY GATEWAY INTERPRETER PYTHON-SCRIPT NODE-SCRIPT");
    ExitCode::from(2)
}

async fn run(
    wanted: usize,
    [folder, gateway, interpreter, python, node]: &[PathBuf; 5],
    tally: &Arc<Tally>,
    rotations: &Arc<Rotations>,
) -> Result<(), Failure> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    let callers = Arc::new(Callers::new()?);
    let behind = listen(|request| ready(assertion(&request))).await?;
    documents::write(folder, &callers, behind)?;
    let fleet = Arc::new(Fleet::start(gateway, folder).await?);

    let proxy = Arc::new(Proxy::new(Arc::clone(&fleet), Arc::clone(tally)));
    let keys = listen(move |request| {
        let proxy = Arc::clone(&proxy);
        async move { proxy.answer(request).await }
    })
    .await?;
    let mut verifiers = Vec::new();
    for (program, script, seconds) in [
        (interpreter.as_path(), python, MAX_AGE),
        (Path::new("node"), node, MAX_AGE),
        // It does not obey, and keeps the key set for as long as it likes.
        (interpreter, python, MAX_AGE + GRACE),
    ] {
        let mut command = Command::new(program);
        command.arg(script).arg(format!("http://{keys}{KEYS}"));
        command.args([&seconds.to_string(), ALGORITHM, ISSUER]);
        let keeping = format!("kept for {seconds} s");
        verifiers.push(Verifier::start(&mut command, &keeping, Arc::clone(tally)).await?);
    }
    let names: Vec<_> = verifiers.iter().map(Verifier::name).collect();
    println!("rotation: verified by {}", names.join("; "));

    let course = Course {
        fleet,
        callers,
        rotations: Arc::clone(rotations),
        checks: Arc::new(Checks::new(verifiers, Arc::clone(tally)).await),
        tally: Arc::clone(tally),
    };
    let load = Load::start(&course);
    let watched = watch(wanted, &course).await;
    load.end().await;
    let ended = course.checks.end().await;
    watched.and(ended)
}

/// Answers as `answer` says; where.
async fn listen<A, F>(answer: A) -> Result<SocketAddr, Failure>
where
    A: Fn(Request<()>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener, answer));
    Ok(address)
}

/// The service behind answers with the backend JWT that it got.
fn assertion(request: &Request<()>) -> Answer {
    match request.headers().get("x-jwt-assertion") {
        Some(jwt) => Response::new(jwt.as_bytes().to_vec()),
        None => empty(StatusCode::BAD_REQUEST),
    }
}
