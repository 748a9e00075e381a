//! A gateway for APIs in apk-conf files:
//!
//! ```sh
//! cargo run -p gateway -- --config examples/gateway/gateway.yaml
//! ```

use std::{
    env,
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use gateway::{Command, Gateway, HELP, LoadError, serve};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => {
            say(HELP.trim_end());
            ExitCode::SUCCESS
        }
        Ok(Command::Check(file)) => match Gateway::load(&file) {
            Ok(gateway) => {
                say(&gateway.describe(gateway.listen()));
                say("the settings are good");
                ExitCode::SUCCESS
            }
            Err(error) => refused(&error),
        },
        Ok(Command::Serve(file)) => match Gateway::load(&file) {
            Ok(gateway) => run(&gateway),
            Err(error) => refused(&error),
        },
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

#[tokio::main]
async fn run(gateway: &Gateway) -> ExitCode {
    match listen(gateway).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("cannot serve at {}: {error}", gateway.listen()));
            ExitCode::FAILURE
        }
    }
}

async fn listen(gateway: &Gateway) -> io::Result<()> {
    // Before anyone is told that the gateway is there: from then on a signal ends it in order.
    let told = told_to_end()?;
    let listener = TcpListener::bind(gateway.listen()).await?;
    say(&gateway.describe(listener.local_addr()?));
    let end = async {
        told.await;
        say("ending: requests in flight may finish");
    };
    serve(gateway, listener, end).await;
    Ok(())
}

#[cfg(unix)]
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    let interrupt = tokio::signal::ctrl_c();
    Ok(async move {
        let _ = interrupt.await;
    })
}

fn refused(error: &LoadError) -> ExitCode {
    complain(error);
    ExitCode::from(2)
}

/// To standard output, which may be closed; that is no reason to stop serving.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn complain(error: &dyn std::fmt::Display) {
    let _ = writeln!(io::stderr(), "gateway: {error}");
}
