//! A service behind a gateway: verifies `X-JWT-Assertion` with the keys that the gateway publishes,
//! and echoes who is calling:
//!
//! ```sh
//! cargo run -p backend
//! cargo run -p backend -- --jwks http://127.0.0.1:8080/.wellknown/jwks --audience orders
//! ```
//!
//! It listens at <http://127.0.0.1:9000> and answers 503 until the gateway is there: how to start that
//! one is in `examples/gateway/gateway.yaml`. Whatever then comes through the gateway is answered with
//! its method, its path, the names of its headers and the verified claims; whatever comes past it,
//! with 401. A new key of the gateway is no reason to start it again.

mod app;
mod args;

use self::args::{Command, Keys, Options};
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
            say(args::HELP.trim_end());
            return ExitCode::SUCCESS;
        }
        Ok(Command::Serve(options)) => options,
        Err(error) => {
            eprintln!("backend: {error}; --help says more");
            return ExitCode::from(2);
        }
    };
    // What became of the gateway's keys is logged, and why a request was refused: the latter is for
    // the operator alone, and not in the answer.
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let Err(error) = serve(options).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("backend: {error}");
    ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
}

async fn serve(options: Options) -> Result<(), Box<dyn Error>> {
    let issuer = match &options.keys {
        Keys::Url(url) => Issuer::jwks(&options.issuer, url),
        Keys::File(file) => Issuer::from_jwks_file(&options.issuer, file)?,
    };
    let issuer = if options.audiences.is_empty() {
        issuer.dangerous_accept_any_audience()
    } else {
        issuer.audiences(&options.audiences)
    };
    let issuer = issuer.build()?;
    let app = app::app(issuer.clone(), options.header.clone());

    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    say(&format!(
        "Listening at http://{} until Ctrl-C; echoes who is calling, by the header {}.",
        listener.local_addr()?,
        options.header
    ));
    if options.audiences.is_empty() {
        say("Warning: without --audience, what the gateway signed for another service passes too.");
    }
    if let Keys::Url(url) = options.keys {
        say(&format!(
            "The gateway's keys are fetched from {url}; requests are answered 503 until they are there."
        ));
        let ready = issuer.ready();
        tokio::spawn(async move {
            ready.await;
            say("The gateway's keys are here.");
        });
    }
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            let _ = signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

/// Prints a line, without a care for whether somebody still reads.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
