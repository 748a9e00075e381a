//! The command line.

use lexopt::{Arg, Parser, ValueExt};
use std::{ffi::OsString, net::SocketAddr};

pub(crate) const HELP: &str = "\
A tonic server whose callers need an access token with the scope \"greet\".
Shows what clients get, then keeps serving.

Usage: tonic-api [options]

Options:
      --listen ADDR  address and port; port 0 takes a free one [127.0.0.1:9800]
      --once         end after showing what clients get
  -h, --help         print this and exit
";

pub(crate) enum Command {
    Help,
    Serve(Options),
}

pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) once: bool,
}

impl Command {
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, lexopt::Error> {
        let mut arguments = Parser::from_args(arguments);
        let mut options = Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 9800)),
            once: false,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("listen") => options.listen = arguments.value()?.parse()?,
                Arg::Long("once") => options.once = true,
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Self::Serve(options))
    }
}
