//! A tonic server whose callers need an access token:
//!
//! ```sh
//! cargo run -p tonic-api
//! cargo run -p tonic-api -- --once    # ends after showing what clients get
//! ```
//!
//! It prints what clients get: `UNAUTHENTICATED` without a token, `PERMISSION_DENIED` with too
//! little scope, and otherwise an answer, by a unary call and by a stream, from handlers that know
//! who is calling. The layers are in `server.rs`, the handlers in `service.rs`.

mod args;
mod client;
mod demo;
mod messages;
mod server;
mod service;
mod show;

#[allow(
    elided_lifetimes_in_paths,
    missing_debug_implementations,
    unreachable_pub,
    unused_qualifications
)]
mod generated {
    //! What `build.rs` wrote.
    include!(concat!(env!("OUT_DIR"), "/demo.Caller.rs"));
}

use self::{
    args::{Command, Options},
    demo::Provider,
    generated::{caller_client, caller_server},
};
use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};
use tokio::{net::TcpListener, signal, sync::oneshot};
use tower::BoxError;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => {
            say(args::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Serve(options)) => options,
        Err(error) => {
            eprintln!("tonic-api: {error}; --help says more");
            return ExitCode::from(2);
        }
    };
    match run(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tonic-api: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<(), BoxError> {
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    let url = format!("http://{}", listener.local_addr()?);
    let provider = Provider::new()?;
    let (end, ended) = oneshot::channel::<()>();
    let server = tokio::spawn(server::serve(listener, provider.issuer()?, async {
        let _ = ended.await;
    }));

    say(&show::what_clients_get(&url, &provider).await?);
    if !options.once {
        // From here on a refusal is logged with its reason, which only the operator is told.
        tracing_subscriber::fmt()
            .with_writer(io::stderr)
            .with_ansi(io::stderr().is_terminal())
            .init();
        say(&show::things_to_try(&url));
        signal::ctrl_c().await?;
    }
    drop(end);
    server.await?
}

/// Prints, without a care for whether somebody still reads.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
