//! `cargo xtask rotation`: gateways whose keys rotate, and what other languages' libraries say to it.

use std::process::ExitCode;

use crate::ask_for_help;
use crate::command::Shell;
use crate::interop;
use crate::run::Context;

const HELP: &str = "\
Three gateways over one directory, whose keys rotate; one of them is killed meanwhile, and comes back. Clients of Python
(PyJWT) and Node (jose), which keep the key set for as long as they may, or longer, verify all that the gateways sign.

    cargo xtask rotation                   10 rotations, one in 8 seconds: about a minute and a half
    cargo xtask rotation --rotations N     so many

The gateway is built first, which takes some minutes the first time. Needed besides: Python 3.11 or later with venv, and
Node (a late 20 or newer) with npm; the first time the registries of both, for the clients' packages.

The last line counts what was done; it ends non-zero if a token was not verified, or a request was not answered as it
should be.";

const USUAL: u32 = 10;

pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    if ask_for_help(arguments) {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let rotations = match parse(arguments) {
        Ok(rotations) => rotations,
        Err(error) => {
            eprintln!("error: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let ended = Context::new().and_then(|context| rotate(&context, rotations));
    ended.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// How many rotations the arguments ask for.
fn parse(arguments: &[&str]) -> Result<u32, String> {
    match arguments {
        [] => Ok(USUAL),
        ["--rotations", number] => match number.parse() {
            Ok(number @ 1..) => Ok(number),
            _ => Err(format!("`{number}` is no number of rotations")),
        },
        ["--rotations"] => Err("--rotations needs a number".to_owned()),
        ["--rotations", _, more, ..] | [more, ..] => Err(format!("there is no `{more}`")),
    }
}

/// The last line that it prints counts.
fn rotate(context: &Context, rotations: u32) -> Result<ExitCode, String> {
    let clients = interop::install_caching_clients(context)?;
    let root = context.root();
    // With the features of the step `test`, so that what it has built is taken again.
    Shell::cargo(&root)
        .args(["build", "--quiet", "--workspace", "--all-features"])
        .args(["--bin", "rotation", "--bin", "gateway"])
        .run()?;
    let target = context.metadata.target_directory();
    let program = |name: &str| {
        let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        target.join("debug").join(name)
    };
    let good = Shell::new(program("rotation"), &root)
        .args([rotations.to_string()])
        .args([target.join("rotation"), program("gateway")])
        .args([clients.interpreter, clients.python, clients.node])
        .judge()?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn ten_rotations_unless_another_number_is_asked_for() {
        assert_eq!(parse(&[]), Ok(10));
        assert_eq!(parse(&["--rotations", "2"]), Ok(2));
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (arguments, part) in [
            (&["--rotations", "0"][..], "`0`"),
            (&["--rotations", "many"], "`many`"),
            (&["--rotations"], "needs a number"),
            (&["--rotations", "2", "3"], "`3`"),
            (&["2"], "`2`"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(part), "{arguments:?}: {error}");
        }
    }
}
