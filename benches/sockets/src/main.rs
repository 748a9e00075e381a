//! What the layers cost where they are used: `bench-sockets --help` says more.
//!
//! ```text
//! cargo build --release -p gateway -p bench-sockets
//! target/release/bench-sockets gateway
//! ```
//!
//! Machines are noisy, so that what is compared runs in turns: each round measures everything once, and a figure
//! is the median over the rounds.

mod allocations;
mod args;
mod gateway;
mod growth;
mod load;
mod machine;
mod report;
mod stack;
mod statistics;
mod storm;
mod tokens;
mod upstream;

use args::{Command, HELP, Mode, Options};
use report::Report;
use std::{
    env,
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

/// Why there are no figures.
type Fault = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => say(HELP.trim_end()),
        Ok(Command::Measure(mode, options)) => match measure(mode, &options) {
            Ok(report) if options.json => say(&report.json()),
            Ok(report) => say(report.table().trim_end()),
            Err(error) => {
                eprintln!("\nbench-sockets: {error}");
                ExitCode::FAILURE
            }
        },
        Err(error) => {
            eprintln!("bench-sockets: {error}");
            ExitCode::from(2)
        }
    }
}

fn measure(mode: Mode, options: &Options) -> Result<Report, Fault> {
    match mode {
        Mode::Gateway => gateway::measure(options),
        Mode::Storm => storm::over_sockets(options),
        Mode::InProcessStorm => storm::in_process(options),
        Mode::Growth => growth::measure(options),
    }
}

fn say(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
