//! The command line.

use http::HeaderName;
use lexopt::{Arg, Parser, ValueExt};
use std::{ffi::OsString, net::SocketAddr, path::PathBuf};

pub(crate) const HELP: &str = "\
A service behind a gateway: verifies the backend JWT in a header with the keys
that the gateway publishes, and echoes who is calling.

Usage: backend [options]

Options:
      --listen ADDR     address and port; port 0 takes a free one [127.0.0.1:9000]
      --jwks URL        where the gateway publishes its keys
                        [http://127.0.0.1:8080/.wellknown/jwks]
      --jwks-file FILE  take the keys from a file instead
      --issuer TEXT     `iss` of the gateway's JWTs [wso2.org/products/am]
      --audience TEXT   `aud` that they must have; may be repeated [any will do]
      --header NAME     where they are [X-JWT-Assertion]
  -h, --help            print this and exit

The keys are fetched over https, or from this machine over http too. Until they
are there, requests are answered 503. When the gateway has new ones, the first
token that names one has them fetched.
";

pub(crate) enum Command {
    Help,
    Serve(Options),
}

pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) keys: Keys,
    pub(crate) issuer: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) header: HeaderName,
}

/// Where the gateway's keys are.
pub(crate) enum Keys {
    Url(String),
    File(PathBuf),
}

impl Command {
    pub(crate) fn parse(
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, lexopt::Error> {
        let mut arguments = Parser::from_args(arguments);
        let mut keys = Vec::new();
        let mut options = Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 9000)),
            keys: Keys::Url("http://127.0.0.1:8080/.wellknown/jwks".to_owned()),
            issuer: "wso2.org/products/am".to_owned(),
            audiences: Vec::new(),
            header: HeaderName::from_static("x-jwt-assertion"),
        };
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("jwks") => keys.push(Keys::Url(arguments.value()?.string()?)),
                Arg::Long("jwks-file") => keys.push(Keys::File(arguments.value()?.into())),
                Arg::Long("listen") => options.listen = arguments.value()?.parse()?,
                Arg::Long("issuer") => options.issuer = arguments.value()?.string()?,
                Arg::Long("audience") => options.audiences.push(arguments.value()?.string()?),
                Arg::Long("header") => options.header = arguments.value()?.parse()?,
                Arg::Short('h') | Arg::Long("help") => return Ok(Self::Help),
                other => return Err(other.unexpected()),
            }
        }
        if keys.len() > 1 {
            return Err("the keys are in one place: a --jwks or a --jwks-file".into());
        }
        options.keys = keys.pop().unwrap_or(options.keys);
        Ok(Self::Serve(options))
    }
}
