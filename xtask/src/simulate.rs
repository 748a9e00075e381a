//! The simulator of the key ring, for longer than a test may take.

use std::process::ExitCode;

use crate::command::Shell;
use crate::metadata::Metadata;

const HELP: &str = "\
Runs the simulator of the key ring: replicas, a store and verifiers, in which everything goes wrong that may.

    cargo xtask simulate                   100000 schedules, always the same ones
    cargo xtask simulate --schedules N     so many
    cargo xtask simulate --seed S          others: the nth of seed S is the first of seed S + n

A schedule that breaks a promise is made smaller, and printed as a timeline, with its seed. The last line
counts what was done; it ends non-zero if anything broke.";

/// The test that does it.
const TEST: &str = "rotation::simulator::tests::simulate";

/// Only the crate under test is built anew, and so much faster that this pays after a few seconds.
const OPTIMIZED: &str = "profile.dev.package.tower-jwks.opt-level=3";

pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    if arguments
        .iter()
        .any(|&argument| matches!(argument, "-h" | "--help"))
    {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let Some((schedules, seed)) = parse(arguments) else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    match simulate(schedules, seed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::FAILURE,
    }
}

fn parse(arguments: &[&str]) -> Option<(u64, u64)> {
    let (mut schedules, mut seed) = (100_000, 1);
    let mut rest = arguments;
    while let [name, value, others @ ..] = rest {
        let value = value.parse().ok()?;
        match *name {
            "--schedules" => schedules = value,
            "--seed" => seed = value,
            _ => return None,
        }
        rest = others;
    }
    (rest.is_empty() && schedules > 0).then_some((schedules, seed))
}

/// What it has to say about an error it has said, so that the count can be the last line.
fn simulate(schedules: u64, seed: u64) -> Result<(), ()> {
    let mut counted = None;
    let ended = Metadata::read().and_then(|metadata| {
        Shell::cargo(&metadata.root())
            .env("SIMULATE_SCHEDULES", &schedules.to_string())
            .env("SIMULATE_SEED", &seed.to_string())
            .args(["test", "--quiet", "--config", OPTIMIZED])
            .args([
                "-p",
                "tower-jwks",
                "--lib",
                "--",
                "--ignored",
                "--nocapture",
            ])
            .args(["--exact", TEST])
            .lines(|line| match line.contains(" schedules, ") {
                true => counted = Some(line.to_owned()),
                false => println!("{line}"),
            })
    });
    if let Err(error) = &ended {
        eprintln!("error: {error}");
    }
    match &counted {
        Some(line) => println!("{line}"),
        None => eprintln!("error: nothing was counted; is there no test `{TEST}` any more?"),
    }
    match (ended, counted) {
        (Ok(()), Some(_)) => Ok(()),
        _ => Err(()),
    }
}
