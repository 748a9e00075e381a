//! The command line.

use std::{ffi::OsString, path::PathBuf};

use lexopt::{Arg, Parser, ValueExt};

/// What `--help` prints.
pub const HELP: &str = "\
Serves APIs from apk-conf files: validates access tokens, tells the service
behind who is calling with a signed backend JWT, and publishes the key of it.
APIs can be deployed while it serves, if the settings say where.

Usage: gateway --config FILE [--check]

Options:
  -c, --config FILE  the gateway's settings (YAML); paths in it are relative to it
      --check        load everything, say what would be served, and exit;
                     keys that are to be fetched are not fetched; 2 if a deployed
                     API would not be served
  -h, --help         print this and exit

Exit codes: 0 ended as told, 1 failed while running, 2 wrong usage or settings.
SIGTERM and SIGINT let requests in flight finish, for 10 seconds at most.
RUST_LOG chooses what is logged to stderr, for example RUST_LOG=gateway=debug.
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print [`HELP`].
    Help,
    /// Load the settings and say what would be served.
    Check(PathBuf),
    /// Serve until told to end.
    Serve(PathBuf),
}

impl Command {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    ///
    /// When an argument is unknown, or `--config` is missing or given twice.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, lexopt::Error> {
        let mut parser = Parser::from_args(arguments);
        let mut config = None;
        let mut check = false;
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Short('c') | Arg::Long("config") => {
                    let file = parser
                        .value()?
                        .parse_with(|text| Ok::<_, String>(PathBuf::from(text)))?;
                    if config.replace(file).is_some() {
                        return Err("--config is given twice".into());
                    }
                }
                Arg::Long("check") => check = true,
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                other => return Err(other.unexpected()),
            }
        }
        match config {
            None => Err("--config FILE is missing; --help says more".into()),
            Some(file) if check => Ok(Self::Check(file)),
            Some(file) => Ok(Self::Serve(file)),
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
    fn the_settings_file_is_all_that_is_needed() {
        assert_eq!(
            parse(&["--config", "a.yaml"]),
            Ok(Command::Serve("a.yaml".into()))
        );
        assert_eq!(
            parse(&["-c", "a.yaml", "--check"]),
            Ok(Command::Check("a.yaml".into()))
        );
        assert_eq!(parse(&["--check", "--help"]), Ok(Command::Help));
    }

    #[test]
    fn a_wrong_command_line_is_refused_with_a_reason() {
        for (arguments, reason) in [
            (&[][..], "--config FILE is missing"),
            (&["--config"][..], "missing argument"),
            (&["--config", "a", "--config", "b"][..], "given twice"),
            (&["--confg", "a"][..], "--confg"),
            (&["a.yaml"][..], "a.yaml"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(reason), "{arguments:?}: {error}");
        }
    }
}
