//! The command line.

use lexopt::{Arg, Parser, ValueExt};
use std::{ffi::OsString, net::SocketAddr};

pub(crate) const HELP: &str = "\
An axum router with routes for everybody, for callers with an access token, and
for those whose token has a scope. Prints a token and curl lines to try.

Usage: axum-api [options]

Options:
      --listen ADDR  address and port; port 0 takes a free one [127.0.0.1:9600]
      --scope TEXT   what the token that is printed may do [orders:read]
  -h, --help         print this and exit
";

pub(crate) enum Command {
    Help,
    Serve(Options),
}

pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) scope: String,
}

impl Command {
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, lexopt::Error> {
        let mut arguments = Parser::from_args(arguments);
        let mut options = Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 9600)),
            scope: "orders:read".to_owned(),
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("listen") => options.listen = arguments.value()?.parse()?,
                Arg::Long("scope") => options.scope = arguments.value()?.string()?,
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Self::Serve(options))
    }
}
