//! The command line.

use lexopt::{Arg, Parser, ValueExt};
use std::{ffi::OsString, net::SocketAddr};

pub(crate) const HELP: &str = "\
An axum router with routes for everybody, for callers with an access token, and
for those whose token has a scope. Prints a token and curl lines to try.

Usage: axum-api [options]

Options:
      --listen ADDR    address and port; port 0 takes a free one [127.0.0.1:9600]
      --scope TEXT     what the token that is printed may do [orders:read]
      --issuer URL     take the tokens of this provider, and print none
      --audience TEXT  `aud` that they must have [orders]
  -h, --help           print this and exit
";

pub(crate) enum Command {
    Help,
    Serve(Options),
}

pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) tokens: Tokens,
}

/// Whose tokens are taken.
pub(crate) enum Tokens {
    /// One is printed, of a demo provider.
    Demo { scope: String },
    /// A real provider's.
    Issued { issuer: String, audience: String },
}

impl Command {
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, lexopt::Error> {
        let mut arguments = Parser::from_args(arguments);
        let mut listen = SocketAddr::from(([127, 0, 0, 1], 9600));
        let (mut scope, mut issuer, mut audience) = (None, None, None);
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("listen") => listen = arguments.value()?.parse()?,
                Arg::Long("scope") => scope = Some(arguments.value()?.string()?),
                Arg::Long("issuer") => issuer = Some(arguments.value()?.string()?),
                Arg::Long("audience") => audience = Some(arguments.value()?.string()?),
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                other => return Err(other.unexpected()),
            }
        }
        let tokens = match (scope, issuer, audience) {
            (scope, None, None) => Tokens::Demo {
                scope: scope.unwrap_or_else(|| "orders:read".to_owned()),
            },
            (None, Some(issuer), audience) => Tokens::Issued {
                issuer,
                audience: audience.unwrap_or_else(|| "orders".to_owned()),
            },
            (Some(_), Some(_), _) => return Err("with --issuer no token is printed".into()),
            (_, None, Some(_)) => return Err("an --audience is for an --issuer".into()),
        };
        Ok(Self::Serve(Options { listen, tokens }))
    }
}
