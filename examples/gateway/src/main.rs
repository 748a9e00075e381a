//! A gateway for APIs in apk-conf files:
//!
//! ```sh
//! cargo run -p gateway -- --config examples/gateway/gateway.yaml
//! ```

use std::{
    env,
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use gateway::{Command, Gateway, HELP, Listeners, LoadError, OfRequest, serve};
use tokio::runtime;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .fmt_fields(OfRequest::default())
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => {
            say(HELP.trim_end());
            ExitCode::SUCCESS
        }
        Ok(Command::Check(file)) => check(&file),
        Ok(Command::Serve(file)) => run(&file),
        Err(error) => {
            complain(&error);
            ExitCode::from(2)
        }
    }
}

/// Says what would be served. Nothing is sent anywhere: keys are fetched by tasks of the runtime, which
/// are made last, and this one runs nothing after that.
fn check(file: &Path) -> ExitCode {
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(Gateway::check(file)) {
        Ok(gateway) => {
            let addresses = gateway.addresses();
            say(&format!(
                "the settings are right; the gateway would listen on http://{}",
                addresses.apis
            ));
            say(&gateway.describe(addresses));
            match gateway.broken() {
                0 => ExitCode::SUCCESS,
                broken => {
                    complain(&format!(
                        "{broken} of the deployed APIs would not be served"
                    ));
                    ExitCode::from(2)
                }
            }
        }
        Err(error) => refused(&error),
    }
}

#[tokio::main]
async fn run(file: &Path) -> ExitCode {
    match Gateway::load(file).await {
        Ok(gateway) => match listen(&gateway).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error),
        },
        Err(error) => refused(&error),
    }
}

async fn listen(gateway: &Gateway) -> io::Result<()> {
    // Before anyone is told that the gateway is there: from then on a signal ends it in order.
    let told = told_to_end()?;
    let listeners = Listeners::bind(gateway).await?;
    let addresses = listeners.addresses()?;
    say(&format!("listening on http://{}", addresses.apis));
    say(&gateway.describe(addresses));
    let end = async {
        told.await;
        say("ending: requests in flight may finish");
    };
    serve(gateway, listeners, end).await;
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

fn failed(error: &io::Error) -> ExitCode {
    complain(error);
    ExitCode::FAILURE
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
