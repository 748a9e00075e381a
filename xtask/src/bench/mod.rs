//! `cargo xtask bench`: what the crates cost, measured, as JSON, as a table and as a plot.

mod in_process;
mod instructions;
mod peers;
mod plot;
mod results;
mod sockets;

use std::process::ExitCode;

use crate::metadata::Metadata;

const HELP: &str = "\
Measures what the crates cost, and writes JSON, a table in Markdown and a plot (SVG) under target/bench/.

    cargo xtask bench [--quick]                all of it, one after the other: about half an hour
    cargo xtask bench in-process [--peers] [--json] [--quick]
                                               a request through the layers, beside the bare router and the bare
                                               cryptography; with --peers other crates too, in processes of their own
    cargo xtask bench sockets [--json] [--quick]
                                               the gateway example over sockets: CPU time of a request
    cargo xtask bench storm [--json] [--quick]
                                               the latency of warm requests while new tokens come in
    cargo xtask bench growth [--json] [--quick]
                                               more threads, more tokens, more issuers, longer tokens
    cargo xtask bench instructions [--json] [--renew]
                                               instructions of the steady paths, against hard limits; needs valgrind,
                                               and installs gungraun-runner under target/tools

    --json     prints the results as JSON, and nothing else, on standard output; else it is the table
    --quick    to see that everything runs; the figures are worth nothing
    --renew    sets the limits anew, 3 % above what is counted

Figures depend on the machine: let nothing else run, and compare ratios only. A budget that is not kept is told;
only a limit of `instructions` that is not kept is a failure.";

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    InProcess,
    Sockets,
    Storm,
    Growth,
    Instructions,
}

impl What {
    const ALL: [Self; 5] = [
        Self::InProcess,
        Self::Sockets,
        Self::Storm,
        Self::Growth,
        Self::Instructions,
    ];

    fn named(name: &str) -> Option<Self> {
        match name {
            "in-process" => Some(Self::InProcess),
            "sockets" => Some(Self::Sockets),
            "storm" => Some(Self::Storm),
            "growth" => Some(Self::Growth),
            "instructions" => Some(Self::Instructions),
            _ => None,
        }
    }

    /// As `bench-sockets` calls it.
    const fn mode(self) -> &'static str {
        match self {
            Self::Sockets => "gateway",
            other => other.name(),
        }
    }

    /// Of its files.
    const fn name(self) -> &'static str {
        match self {
            Self::InProcess => "in-process",
            Self::Sockets => "sockets",
            Self::Storm => "storm",
            Self::Growth => "growth",
            Self::Instructions => "instructions",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Options {
    json: bool,
    peers: bool,
    quick: bool,
    renew: bool,
}

pub(crate) fn run(arguments: &[&str]) -> ExitCode {
    if arguments
        .iter()
        .any(|&argument| matches!(argument, "-h" | "--help" | "help"))
    {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let (chosen, options) = match parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            eprintln!("error: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let metadata = match Metadata::read() {
        Ok(metadata) => metadata,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut code = ExitCode::SUCCESS;
    for what in chosen {
        eprintln!("=== {}", what.name());
        let measured = match what {
            What::InProcess => in_process::measure(&metadata, options),
            What::Sockets | What::Storm | What::Growth => {
                sockets::measure(&metadata, what.mode(), options)
            }
            What::Instructions => instructions::measure(&metadata, options),
        };
        // One that cannot be measured does not keep the others from it.
        let written = measured.and_then(|results| results.write(&metadata, what.name(), options));
        if let Err(error) = written {
            eprintln!("error: {}: {error}", what.name());
            code = ExitCode::FAILURE;
        }
    }
    code
}

fn parse(arguments: &[&str]) -> Result<(Vec<What>, Options), String> {
    let mut chosen = Vec::new();
    let mut options = Options::default();
    for &argument in arguments {
        match argument {
            "--json" => options.json = true,
            "--peers" => options.peers = true,
            "--quick" => options.quick = true,
            "--renew" => options.renew = true,
            name => match What::named(name) {
                Some(what) if chosen.is_empty() => chosen.push(what),
                Some(_) => return Err("one of them at a time, or all".to_owned()),
                None => return Err(format!("there is no `{name}`")),
            },
        }
    }
    if options.renew && chosen != [What::Instructions] {
        return Err("--renew is for instructions".to_owned());
    }
    match chosen[..] {
        [] if options.json => Err("--json is for one of them".to_owned()),
        [] => {
            options.peers = true;
            Ok((What::ALL.to_vec(), options))
        }
        [What::InProcess] => Ok((chosen, options)),
        _ if options.peers => Err("--peers is for in-process".to_owned()),
        [What::Instructions] if options.quick => {
            Err("--quick is of no use with instructions: they are counted once".to_owned())
        }
        _ => Ok((chosen, options)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_measured_unless_one_is_named() {
        let (chosen, options) = parse(&["--quick"]).unwrap();
        assert_eq!(chosen, What::ALL);
        assert!(options.peers && options.quick && !options.json);
        let (chosen, options) = parse(&["in-process", "--json"]).unwrap();
        assert_eq!(chosen, [What::InProcess]);
        assert!(options.json && !options.peers);
        assert_eq!(parse(&["sockets"]).unwrap().0, [What::Sockets]);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (arguments, part) in [
            (&["warm"][..], "`warm`"),
            (&["--fast"], "`--fast`"),
            (&["storm", "growth"], "at a time"),
            (&["storm", "--peers"], "in-process"),
            (&["--json"], "one of them"),
            (&["--renew"], "instructions"),
            (&["instructions", "--quick"], "counted once"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(part), "{arguments:?}: {error}");
        }
    }
}
