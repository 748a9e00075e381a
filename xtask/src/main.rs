//! The checks of this repository, as one command: `cargo xtask test`.

mod bench;
mod command;
mod dependencies;
mod features;
mod interop;
mod metadata;
mod neutral;
mod package;
mod rotation;
mod run;
mod simulate;
mod step;

use std::env;
use std::process::ExitCode;

use run::{Context, run};
use step::STEPS;

const HELP: &str = "\
The checks of this repository.

    cargo xtask test             every step, in order; stops at the first that fails
    cargo xtask test STEP…       only these steps
    cargo xtask list             the steps
    cargo xtask rotation [--rotations N]
                                 gateways whose keys rotate, 10 times, and one that is killed meanwhile;
                                 clients of Python and Node, which keep the key set, verify all they sign
    cargo xtask simulate         the simulator of the key ring, for longer than a test may take; see its --help
    cargo xtask bench [NAME]     what the crates cost, beside others: JSON, tables and plots; see its --help

`cargo xtask test` is what CI runs. With CI=true in the environment a step that cannot run here, or
not all of it (no python3, no node, no go), is a failure; without it, it is skipped with a warning.";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["simulate", arguments @ ..] => return simulate::run(arguments),
        ["bench", arguments @ ..] => return bench::run(arguments),
        _ => {}
    }
    if arguments
        .iter()
        .any(|&argument| matches!(argument, "-h" | "--help" | "help"))
    {
        println!("{HELP}\n\nSteps:\n{}", list());
        return ExitCode::SUCCESS;
    }
    match arguments.as_slice() {
        ["list"] => {
            println!("{}", list());
            ExitCode::SUCCESS
        }
        ["test", names @ ..] => test(names),
        ["rotation", options @ ..] => match rotation::parse(options) {
            Some(rotations) => rotate(rotations),
            None => wrong_usage(),
        },
        _ => wrong_usage(),
    }
}

fn wrong_usage() -> ExitCode {
    eprintln!("{HELP}");
    ExitCode::from(2)
}

fn rotate(rotations: u32) -> ExitCode {
    let result = Context::new().and_then(|context| rotation::run(&context, rotations));
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn list() -> String {
    let lines: Vec<String> = STEPS
        .iter()
        .map(|step| format!("    {:<14}{}", step.name, step.about))
        .collect();
    lines.join("\n")
}

fn test(names: &[&str]) -> ExitCode {
    if let Some(unknown) = names
        .iter()
        .find(|&&name| STEPS.iter().all(|step| step.name != name))
    {
        eprintln!("there is no step `{unknown}`; the steps are:\n{}", list());
        return ExitCode::from(2);
    }
    let context = match Context::new() {
        Ok(context) => context,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let chosen: Vec<_> = STEPS
        .iter()
        .filter(|step| names.is_empty() || names.contains(&step.name))
        .collect();
    run(&chosen, &context)
}
