//! The command line.

use lexopt::{Arg, Parser, ValueExt};
use std::{ffi::OsString, path::PathBuf};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Measures what the layers cost where they are used: in a gateway over sockets, while
new tokens come, and as threads, tokens and issuers grow. All of it on loopback.

Usage: bench-sockets gateway [--gateway PATH] [--rounds N] [--quick] [--json]
       bench-sockets storm   [--in-process] [--gateway PATH] [--rounds N] [--quick] [--json]
       bench-sockets growth  [--only PART] [--rounds N] [--quick] [--json]

  gateway   CPU time of the gateway example for each request, by the accounting of its
            process, alone on a core; the load and the service behind have another one.
            Beside it a bare hyper proxy, and nginx and HAProxy where they are installed
  storm     how long requests with known tokens take while new tokens come, each of
            which costs an RSA signature; in a gateway, or with --in-process in the
            layers themselves
  growth    the layers by themselves with more threads, tokens, issuers and longer
            tokens: time, memory, and what is found again

Options:
      --gateway PATH  the gateway's program; default: `gateway` beside this program
      --rounds N      how often everything is measured; the figures are medians
      --in-process    storm without sockets
      --only PART     of growth: threads, sizes, issuers or tokens (some minutes; a
                      million of them)
      --quick         little of everything, to see that it works; the figures mean nothing
      --json          {\"rows\": [...]} instead of a table; units are in the fields' names
  -h, --help          print this and exit

Progress goes to stderr. A figure `most_X` or `least_X` in a row is the target of `X`.
To build what is measured: cargo build --release -p gateway -p bench-sockets
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Measure(Mode, Options),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Gateway,
    Storm,
    InProcessStorm,
    Growth,
}

/// Of growth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Threads,
    Sizes,
    Issuers,
    Tokens,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) gateway: Option<PathBuf>,
    pub(crate) rounds: Option<usize>,
    pub(crate) only: Option<Part>,
    pub(crate) quick: bool,
    pub(crate) json: bool,
}

impl Options {
    /// One of the two: for a smoke run, or for figures.
    pub(crate) const fn pick(&self, quick: usize, figures: usize) -> usize {
        if self.quick { quick } else { figures }
    }

    /// Whether this part is asked for.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }

    /// How often everything is measured.
    pub(crate) fn rounds(&self, figures: usize) -> usize {
        self.rounds.unwrap_or_else(|| self.pick(1, figures))
    }
}

impl Command {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, lexopt::Error> {
        let mut parser = Parser::from_args(arguments);
        let mut options = Options::default();
        let mut mode = None;
        let mut in_process = false;
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Value(value) if mode.is_none() => {
                    mode = Some(match value.to_str() {
                        Some("gateway") => Mode::Gateway,
                        Some("storm") => Mode::Storm,
                        Some("growth") => Mode::Growth,
                        _ => return Err(Arg::Value(value).unexpected()),
                    });
                }
                Arg::Long("gateway") => options.gateway = Some(parser.value()?.into()),
                Arg::Long("rounds") => match parser.value()?.parse()? {
                    0 => return Err("--rounds 0 measures nothing".into()),
                    rounds => options.rounds = Some(rounds),
                },
                Arg::Long("only") => {
                    let part = parser.value()?;
                    options.only = Some(match part.to_str() {
                        Some("threads") => Part::Threads,
                        Some("sizes") => Part::Sizes,
                        Some("issuers") => Part::Issuers,
                        Some("tokens") => Part::Tokens,
                        _ => return Err("--only takes threads, sizes, issuers or tokens".into()),
                    });
                }
                Arg::Long("in-process") => in_process = true,
                Arg::Long("quick") => options.quick = true,
                Arg::Long("json") => options.json = true,
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                other => return Err(other.unexpected()),
            }
        }
        match (mode, in_process) {
            (None, _) => Err("one of gateway, storm, growth is missing; --help says more".into()),
            (Some(Mode::Storm), true) if options.only.is_none() => {
                Ok(Self::Measure(Mode::InProcessStorm, options))
            }
            (Some(_), true) => Err("--in-process is for storm".into()),
            (Some(Mode::Gateway | Mode::Storm), false) if options.only.is_some() => {
                Err("--only is for growth".into())
            }
            (Some(mode), false) => Ok(Self::Measure(mode, options)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Command, String> {
        Command::parse(arguments.iter().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_mode_is_all_that_is_needed() {
        let none = Options::default();
        assert_eq!(parse(&["growth"]), Ok(Command::Measure(Mode::Growth, none)));
        let options = Options {
            gateway: Some("g".into()),
            rounds: Some(3),
            only: None,
            quick: true,
            json: true,
        };
        let arguments = [
            "--quick",
            "storm",
            "--in-process",
            "--json",
            "--rounds",
            "3",
            "--gateway",
            "g",
        ];
        assert_eq!(
            parse(&arguments),
            Ok(Command::Measure(Mode::InProcessStorm, options))
        );
        assert_eq!(parse(&["gateway", "--help"]), Ok(Command::Help));
    }

    #[test]
    fn a_wrong_command_line_is_refused_with_a_reason() {
        for (arguments, reason) in [
            (&[][..], "is missing"),
            (&["storms"][..], "storms"),
            (&["storm", "growth"][..], "growth"),
            (&["growth", "--in-process"][..], "for storm"),
            (&["storm", "--only", "sizes"][..], "for growth"),
            (&["growth", "--only", "all"][..], "takes threads"),
            (&["growth", "--rounds", "0"][..], "measures nothing"),
            (&["growth", "--rounds", "x"][..], "x"),
            (&["--quik"][..], "--quik"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(reason), "{arguments:?}: {error}");
        }
    }
}
