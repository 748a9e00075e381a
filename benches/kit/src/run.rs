//! A program that measures its cases and prints them.

use crate::{Case, Rounds, report};
use std::{env, process::ExitCode};

/// Measures what `cases` makes, as the program's arguments say: the body of such a program's `main`.
///
/// The results are on standard output, the progress on standard error. `about` is for `--help`.
pub fn run(about: &str, cases: impl FnOnce() -> Vec<Case>) -> ExitCode {
    let (mut json, mut rounds) = (false, Rounds::FULL);
    for argument in env::args().skip(1) {
        match argument.as_str() {
            "--json" => json = true,
            "--quick" => rounds = Rounds::QUICK,
            "-h" | "--help" => {
                println!("{about}\n\n{OPTIONS}");
                return ExitCode::SUCCESS;
            }
            other => {
                eprintln!("error: there is no option `{other}`\n\n{OPTIONS}");
                return ExitCode::from(2);
            }
        }
    }
    eprintln!("making keys and tokens");
    let rows = rounds.measure(&mut cases());
    match json {
        true => println!("{}", report::json(&rows)),
        false => print!("{}", report::table(&rows)),
    }
    ExitCode::SUCCESS
}

const OPTIONS: &str = "    \
    --json     prints {\"rows\": [{\"name\", \"ns\", \"allocations\", …}]}, and nothing else
    --quick    a few short rounds, to see that everything runs; the figures are worth nothing";
