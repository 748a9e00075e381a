//! An access token goes in, and a backend service verifies, by the published keys, who is calling:
//!
//! ```sh
//! cargo run -p quickstart              # then try the curl lines it prints; Ctrl-C ends it
//! cargo run -p quickstart -- --once    # ends after one exchange
//! ```
//!
//! Three services in one process, each at a socket of its own:
//!
//! ```text
//!  identity provider ◄─────── keys ─────── gateway ◄─────── keys ─────── backend
//!    (provider.rs)                       (gateway.rs)                  (backend.rs)
//!         │                                ▲      │                         ▲
//!         └─ access token ─► client ───────┘      └─────────────────────────┘
//!                             Authorization: Bearer …     X-JWT-Assertion: …
//! ```
//!
//! What is printed: the claims of the access token, the header the backend saw, its claims, and
//! whose key verified it. The three layers are in `gateway.rs`.

mod args;
mod backend;
mod gateway;
mod keys;
mod net;
mod provider;
mod show;

use self::{
    args::Command,
    net::{Client, say},
};
use std::{
    env,
    io::{self, IsTerminal},
    process::ExitCode,
};
use tokio::{signal, sync::mpsc};
use tower::BoxError;

#[tokio::main]
async fn main() -> ExitCode {
    let once = match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => {
            say(args::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Run { once }) => once,
        Err(error) => {
            eprintln!("quickstart: {error}; --help says more");
            return ExitCode::from(2);
        }
    };
    // What keys were fetched is logged, and why a request was refused: the latter is for the operator
    // alone, and not in the answer.
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .without_time()
        .init();
    match run(once).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(once: bool) -> Result<(), BoxError> {
    let port = |usual| if once { 0 } else { usual };
    let (at_provider, provider) = net::listen(port(9500)).await?;
    let (at_gateway, gateway) = net::listen(port(9501)).await?;
    let (at_backend, backend) = net::listen(port(9502)).await?;

    // From left to right, because each of them waits for the keys of the one before.
    let client = Client::new();
    net::serve(at_provider, provider::app(&provider)?);
    net::serve(
        at_gateway,
        gateway::app(&client, &provider, &backend).await?,
    );
    let (seen, mut exchanges) = mpsc::unbounded_channel();
    net::serve(at_backend, backend::app(&gateway, seen).await?);

    let token = client.post(&format!("{provider}/token")).await?;
    say(&show::access_token(&provider, &token)?);

    let orders = format!("{gateway}/orders");
    say(&show::call(&orders, &token));
    let answer = client.get_with(&token, &orders).await?;
    let exchange = exchanges.recv().await.ok_or("the backend saw nothing")?;
    say(&show::backend_jwt(&gateway, &exchange)?);
    say(&show::answer(&answer));
    if once {
        return Ok(());
    }

    say(&show::things_to_try(&provider, &gateway, &backend));
    loop {
        tokio::select! {
            biased;
            end = signal::ctrl_c() => return Ok(end?),
            Some(exchange) = exchanges.recv() => say(&show::another(&exchange)),
        }
    }
}
