//! `cargo xtask rotation`: gateways whose keys rotate, and what other languages' libraries say to it.

use std::process::ExitCode;

use crate::command::Shell;
use crate::interop;
use crate::run::Context;

const USUAL: u32 = 10;

/// How many rotations the arguments ask for; `None` if they make no sense.
pub(crate) fn parse(arguments: &[&str]) -> Option<u32> {
    match arguments {
        [] => Some(USUAL),
        ["--rotations", number] => number.parse().ok().filter(|number| *number > 0),
        _ => None,
    }
}

/// The last line that it prints counts.
pub(crate) fn run(context: &Context, rotations: u32) -> Result<ExitCode, String> {
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
        for (arguments, rotations) in [
            (&[][..], Some(10)),
            (&["--rotations", "2"], Some(2)),
            (&["--rotations", "0"], None),
            (&["--rotations", "many"], None),
            (&["--rotations"], None),
            (&["2"], None),
        ] {
            assert_eq!(parse(arguments), rotations, "{arguments:?}");
        }
    }
}
