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
    cargo xtask simulate         the simulator of the key ring, for longer than a test may take
    cargo xtask bench [NAME]     what the crates cost, beside others: JSON, tables and plots

With --help each says more. `cargo xtask test` is what CI runs.";

const TEST_HELP: &str = "\
Runs the checks of this repository, in order; stops at the first that fails.

    cargo xtask test             every step: about a quarter of an hour on two cores
    cargo xtask test STEP…       only these steps

Needed: Rust with rustfmt and clippy, a C compiler, and crates.io for what is not there yet; curl and openssl, without
which some tests skip themselves. The step interop needs Python, Node, a JDK, Go and Ruby, and the registries of the
first two: CONTRIBUTING.md has the versions.

With CI=true in the environment a step that cannot run here, or not all of it (no python3, no node, no go), is a
failure; without it, it is skipped with a warning.";

/// What is asked for, with the arguments that are its own.
#[derive(Debug, PartialEq, Eq)]
enum Command<'a> {
    Help,
    List,
    Test(&'a [&'a str]),
    Rotation(&'a [&'a str]),
    Simulate(&'a [&'a str]),
    Bench(&'a [&'a str]),
}

impl<'a> Command<'a> {
    fn parse(arguments: &'a [&'a str]) -> Result<Self, String> {
        match arguments {
            [] => Err("no command is named".to_owned()),
            ["-h" | "--help" | "help", ..] => Ok(Self::Help),
            ["test", rest @ ..] => Ok(Self::Test(rest)),
            ["rotation", rest @ ..] => Ok(Self::Rotation(rest)),
            ["simulate", rest @ ..] => Ok(Self::Simulate(rest)),
            ["bench", rest @ ..] => Ok(Self::Bench(rest)),
            ["list"] => Ok(Self::List),
            ["list", rest @ ..] if ask_for_help(rest) => Ok(Self::Help),
            ["list", ..] => Err("`list` takes no arguments".to_owned()),
            [unknown, ..] => Err(format!("there is no command `{unknown}`")),
        }
    }
}

/// Whether the arguments of a command want to know what it does, and nothing done.
fn ask_for_help(arguments: &[&str]) -> bool {
    arguments
        .iter()
        .any(|&argument| matches!(argument, "-h" | "--help" | "help"))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match Command::parse(&arguments) {
        Ok(Command::Help) => {
            println!("{HELP}\n\nSteps:\n{}", list());
            ExitCode::SUCCESS
        }
        Ok(Command::List) => {
            println!("{}", list());
            ExitCode::SUCCESS
        }
        Ok(Command::Test(names)) => test(names),
        Ok(Command::Rotation(arguments)) => rotation::run(arguments),
        Ok(Command::Simulate(arguments)) => simulate::run(arguments),
        Ok(Command::Bench(arguments)) => bench::run(arguments),
        Err(error) => {
            eprintln!("error: {error}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}

fn list() -> String {
    let lines: Vec<String> = STEPS
        .iter()
        .map(|step| format!("    {:<14}{}", step.name, step.about))
        .collect();
    lines.join("\n")
}

fn test(names: &[&str]) -> ExitCode {
    if ask_for_help(names) {
        println!("{TEST_HELP}\n\nSteps:\n{}", list());
        return ExitCode::SUCCESS;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_the_arguments_that_follow_its_name() {
        for (arguments, command) in [
            (&["--help"][..], Command::Help),
            (&["help", "test"], Command::Help),
            (&["list"], Command::List),
            (&["list", "--help"], Command::Help),
            (&["test"], Command::Test(&[])),
            (&["test", "fmt", "doc"], Command::Test(&["fmt", "doc"])),
            (&["test", "--help"], Command::Test(&["--help"])),
            (&["rotation", "--help"], Command::Rotation(&["--help"])),
            (
                &["simulate", "--seed", "2"],
                Command::Simulate(&["--seed", "2"]),
            ),
            (&["bench", "storm"], Command::Bench(&["storm"])),
        ] {
            assert_eq!(Command::parse(arguments), Ok(command), "{arguments:?}");
        }
    }

    #[test]
    fn a_command_that_there_is_not_is_named() {
        for (arguments, part) in [
            (&["foo"][..], "there is no command `foo`"),
            (&["foo", "--help"], "there is no command `foo`"),
            (&["--foo"], "`--foo`"),
            (&["list", "fmt"], "`list` takes no arguments"),
            (&[], "no command is named"),
        ] {
            let error = Command::parse(arguments).unwrap_err();
            assert!(error.contains(part), "{arguments:?}: {error}");
        }
    }
}
