//! The keys of a ring in a directory, from the command line: `tower-jwks --help` says more.
//!
//! It signs nothing and publishes nothing. What it changes, the processes that share the directory see there.

mod arguments;
mod help;
mod import;
mod init;
mod report;
mod revoke;
mod ring;
mod rotate;
mod status;
mod words;

use arguments::{Asked, Failure, Task};
use report::Report;
use serde_json::json;
use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    // Also for what is wrong with the arguments themselves.
    let json = arguments.iter().any(|argument| argument == "--json");
    let outcome = arguments::parse(arguments).and_then(|asked| match asked {
        Asked::Help(text) => Ok(Said::Text(text)),
        Asked::Version => Ok(Said::Text(concat!(
            "tower-jwks ",
            env!("CARGO_PKG_VERSION")
        ))),
        Asked::Task(task) => run(&task).map(Said::Report),
    });
    match outcome {
        Ok(Said::Text(text)) => say(text.trim_end()),
        Ok(Said::Report(report)) if json => say(&report.json.to_string()),
        Ok(Said::Report(report)) => {
            say(&report.text);
            if let Some(alarm) = report.alarm {
                complain(&alarm);
            }
        }
        Err(failure) => {
            let text = failure.to_string();
            match json {
                true => to_stderr(&json!({ "error": text }).to_string()),
                false => complain(&text),
            }
            return ExitCode::from(failure.code());
        }
    }
    ExitCode::SUCCESS
}

enum Said {
    Text(&'static str),
    Report(Report),
}

fn run(task: &Task) -> Result<Report, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| Failure::failed(error.to_string()))?;
    runtime.block_on(async {
        match task {
            Task::Init(ring, new) => init::run(ring, new).await,
            Task::Status(ring) => status::run(ring).await,
            Task::Rotate(ring) => rotate::run(ring).await,
            Task::Revoke(ring, kid) => revoke::run(ring, kid).await,
            Task::Import(ring, pem) => import::run(ring, pem).await,
        }
    })
}

/// To standard output, which may be closed: what was to be done is done.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}

fn complain(text: &str) {
    to_stderr(&format!("tower-jwks: {text}"));
}

fn to_stderr(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
