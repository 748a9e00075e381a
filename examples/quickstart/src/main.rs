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
//!  identity provider          gateway                                  backend
//!  (provider.rs)              (gateway.rs: the three layers)           (backend.rs)
//!      │ access token            │                                        │
//!      └──────► client ──────────► checks it, signs a backend JWT ────────► verifies that
//!                  Authorization                         X-JWT-Assertion
//! ```
//!
//! The gateway has fetched the provider's keys, and the backend the gateway's. What is printed: the
//! claims of the access token, the header the backend saw, its claims, and whose key verified it.

mod args;
mod backend;
mod gateway;
mod net;
mod provider;
mod show;

use self::{
    args::Command,
    net::{Site, say},
    provider::Provider,
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
    // Why a request was refused is for the operator alone: it is logged, and not in the answer.
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
    let ports = if once { [0; 3] } else { [9500, 9501, 9502] };
    let [provider, gateway, backend] = ports.map(Site::open);
    let (provider, gateway, backend) = (provider.await?, gateway.await?, backend.await?);
    let [provider_url, gateway_url, backend_url] =
        [&provider, &gateway, &backend].map(|site| site.url().to_owned());

    let client = net::client();
    provider.serve(Provider::new(&provider_url)?.app());
    gateway.serve(gateway::app(&client, &provider_url, &backend_url).await?);
    let (seen, mut exchanges) = mpsc::unbounded_channel();
    backend.serve(backend::app(&client, &gateway_url, seen).await?);

    let token = net::send(&client, "POST", &format!("{provider_url}/token"), None).await?;
    say(&show::access_token(&provider_url, &token)?);

    let orders = format!("{gateway_url}/orders");
    say(&show::call(&orders, &token));
    let answer = net::send(&client, "GET", &orders, Some(&token)).await?;
    let exchange = exchanges.recv().await.ok_or("the backend saw no request")?;
    say(&show::backend_jwt(&gateway_url, &exchange)?);
    say(&show::answer(&answer));
    if once {
        return Ok(());
    }

    say(&show::things_to_try(
        &provider_url,
        &gateway_url,
        &backend_url,
    ));
    loop {
        tokio::select! {
            biased;
            end = signal::ctrl_c() => return Ok(end?),
            Some(exchange) = exchanges.recv() => say(&show::another(&exchange)),
        }
    }
}
