//! The command line.

use lexopt::{Arg, Parser};
use std::ffi::OsString;

pub(crate) const HELP: &str = "\
Shows an access token go into a gateway, and a backend verify who is calling.
A demo identity provider, the gateway and the backend run in this process.

Usage: quickstart [--once]

Options:
      --once  end after one exchange
  -h, --help  print this and exit

Without --once it keeps serving at 127.0.0.1:9500 to 9502, or at free ports
where those are taken, and prints curl lines to try.
";

pub(crate) enum Command {
    Help,
    Run { once: bool },
}

impl Command {
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, lexopt::Error> {
        let mut arguments = Parser::from_args(arguments);
        let mut once = false;
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("once") => once = true,
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Self::Run { once })
    }
}
