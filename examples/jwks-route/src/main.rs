//! A service that signs tokens of its own gets a JWKS route:
//!
//! ```sh
//! cargo run -p jwks-route
//! cargo run -p jwks-route -- --key signing.key    # a key that stays, instead of a new one
//! cargo run -p jwks-route -- --keys keys          # keys that rotate, in this directory
//! ```
//!
//! It prints curl lines: for a token, for the keys to verify it with, and for the document that
//! leads verifiers from the issuer's URL to these keys. The service is in `service.rs`; the route is
//! one line, in `app` below. To make a key:
//!
//! ```sh
//! openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out signing.key
//! ```
//!
//! To look at keys that rotate, and to have the next one sign in half an hour or so:
//!
//! ```sh
//! cargo run -p tower-jwks --features command -- status keys   # or: rotate keys
//! ```

mod args;
mod service;

use self::args::{Command, Options};
use axum::Router;
use std::{
    env,
    error::Error,
    fs,
    io::{self, Write},
    process::ExitCode,
};
use tokio::{net::TcpListener, signal};
use tower_jwks::{ConfigError, DirectoryStore, JwksLayer, KeyRing, SigningKey};

/// The service, and the route.
fn app(keys: KeyRing, issuer: &str) -> Result<Router, ConfigError> {
    let jwks = JwksLayer::new(keys.clone()).with_issuer_metadata(issuer)?;
    Ok(service::router(keys, issuer).layer(jwks))
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => {
            say(args::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Command::Serve(options)) => options,
        Err(error) => {
            eprintln!("jwks-route: {error}; --help says more");
            return ExitCode::from(2);
        }
    };
    let Err(error) = serve(&options).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("jwks-route: {error}");
    ExitCode::from(if error.is::<ConfigError>() { 2 } else { 1 })
}

fn signing_key(options: &Options) -> Result<SigningKey, ConfigError> {
    let Some(file) = &options.key else {
        return SigningKey::generate(options.algorithm);
    };
    let wrong = |error: &dyn Error| {
        ConfigError::new("--key", format!("cannot use {}: {error}", file.display()))
    };
    let pem = fs::read(file).map_err(|error| wrong(&error))?;
    SigningKey::from_pem(options.algorithm, pem).map_err(|error| wrong(&error))
}

async fn keys(options: &Options) -> Result<KeyRing, Box<dyn Error>> {
    let Some(directory) = &options.keys else {
        return Ok(KeyRing::new(signing_key(options)?));
    };
    let ring = KeyRing::open(DirectoryStore::new(directory)).algorithm(options.algorithm);
    Ok(ring.await?)
}

async fn serve(options: &Options) -> Result<(), Box<dyn Error>> {
    let keys = keys(options).await?;
    let listener = TcpListener::bind(options.listen)
        .await
        .map_err(|error| format!("cannot listen at {}: {error}", options.listen))?;
    let url = format!("http://{}", listener.local_addr()?);
    let issuer = options.issuer.as_ref().unwrap_or(&url);
    let app = app(keys, issuer)?;

    if options.key.is_none() && options.keys.is_none() {
        say("A key was made for this run: without --key or --keys, tokens end with the program.\n");
    }
    say(&things_to_try(&url, issuer));
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            let _ = signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

fn things_to_try(url: &str, issuer: &str) -> String {
    format!(
        "Serving at {url} until Ctrl-C, as the issuer {issuer}. In another terminal, a token:

    curl -i -X POST {url}/token

The keys to verify it with, under two names:

    curl -i {url}/.well-known/jwks.json
    curl -i {url}/.wellknown/jwks

How a verifier finds them that knows the issuer only:

    curl -i {url}/.well-known/openid-configuration

"
    )
}

/// Prints, without a care for whether somebody still reads.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}
