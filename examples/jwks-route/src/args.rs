//! The command line.

use lexopt::{Arg, Parser, ValueExt};
use std::{ffi::OsString, net::SocketAddr, path::PathBuf};
use tower_jwks::Algorithm;

pub(crate) const HELP: &str = "\
A service that signs tokens of its own, with a JWKS route.

Usage: jwks-route [options]

Options:
      --listen ADDR     address and port; port 0 takes a free one [127.0.0.1:9700]
      --key FILE        the signing key, PEM: PKCS#8, PKCS#1 or SEC1
                        [a new one for each run]
      --keys DIR        keys that rotate, in this directory; made if it is not there. Several of these
                        services may share it. They are not sealed: who reads the files can sign
      --algorithm NAME  what it signs with: RS256, PS256, ES256, ES384, EdDSA …
                        [ES256]
      --issuer URL      `iss` of the tokens [the URL it serves at]
  -h, --help            print this and exit
";

pub(crate) enum Command {
    Help,
    Serve(Options),
}

pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) key: Option<PathBuf>,
    pub(crate) keys: Option<PathBuf>,
    pub(crate) algorithm: Algorithm,
    pub(crate) issuer: Option<String>,
}

impl Command {
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, lexopt::Error> {
        let mut arguments = Parser::from_args(arguments);
        let mut options = Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 9700)),
            key: None,
            keys: None,
            algorithm: Algorithm::ES256,
            issuer: None,
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("listen") => options.listen = arguments.value()?.parse()?,
                Arg::Long("key") => options.key = Some(arguments.value()?.into()),
                Arg::Long("keys") => options.keys = Some(arguments.value()?.into()),
                Arg::Long("algorithm") => options.algorithm = arguments.value()?.parse()?,
                Arg::Long("issuer") => options.issuer = Some(arguments.value()?.string()?),
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                other => return Err(other.unexpected()),
            }
        }
        if options.key.is_some() && options.keys.is_some() {
            return Err("--key and --keys exclude each other".into());
        }
        Ok(Self::Serve(options))
    }
}
