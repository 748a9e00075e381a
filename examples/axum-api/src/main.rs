//! An axum router with routes for everybody, for callers with a token, and for those with a scope:
//!
//! ```sh
//! cargo run -p axum-api
//! cargo run -p axum-api -- --scope "orders:read orders:write"    # a token that may do more
//! cargo run -p axum-api -- --issuer https://idp.example.com --audience orders    # yours
//! ```
//!
//! It prints an access token and curl lines to use it with. The router is in `app.rs`; where the
//! token comes from, in `demo.rs`: in your service that is an identity provider, as with `--issuer`.

mod app;
mod args;
mod demo;

use self::{
    args::{Command, Options, Tokens},
    demo::Provider,
};
use std::{
    env,
    error::Error,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};
use tokio::{net::TcpListener, signal};
use tower_backend_jwt::Issuer;
use tower_jwks::ConfigError;

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => {
            say(args::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Serve(options)) => options,
        Err(error) => {
            eprintln!("axum-api: {error}; --help says more");
            return ExitCode::from(2);
        }
    };
    // Why a request was refused is for the operator alone: it is logged, and not in the answer.
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let Err(error) = serve(&options).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("axum-api: {error}");
    ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
}

async fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let (issuer, take_a_token) = match &options.tokens {
        Tokens::Demo { scope } => {
            let provider = Provider::new()?;
            let token = provider.token(scope)?;
            let take =
                format!("take this access token; its scope is \"{scope}\":\n\n    TOKEN={token}");
            (provider.issuer()?, take)
        }
        // All that a real provider takes. Its keys are fetched from now on; until they are there,
        // requests with a token are answered 503.
        Tokens::Issued { issuer, audience } => {
            let take = format!("take an access token of {issuer} for {audience}:\n\n    TOKEN=");
            (Issuer::discover(issuer).audience(audience).build()?, take)
        }
    };
    let app = app::app(issuer)?;

    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    let url = format!("http://{}", listener.local_addr()?);
    say(&things_to_try(&url, &take_a_token));
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            let _ = signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

fn things_to_try(url: &str, take_a_token: &str) -> String {
    format!(
        r#"Serving at {url} until Ctrl-C. In another terminal, {take_a_token}

For everybody:

    curl -i {url}/

For callers with a token, and for those without:

    curl -i -H "Authorization: Bearer $TOKEN" {url}/hello
    curl -i {url}/hello

For callers with a token:

    curl -i -H "Authorization: Bearer $TOKEN" {url}/me

For those whose token has the scope orders:read:

    curl -i -H "Authorization: Bearer $TOKEN" {url}/orders

For those whose token has orders:write, 403 for others (--scope "orders:read orders:write" gives both):

    curl -i -H "Authorization: Bearer $TOKEN" -d tea {url}/orders

"#
    )
}

/// Prints, without a care for whether somebody still reads.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
