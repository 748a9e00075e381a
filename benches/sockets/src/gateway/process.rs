//! The gateway example as a process, with its files.

use crate::{
    Fault,
    machine::Process,
    tokens::{AUDIENCE, Provider},
};
use std::{
    env, fs,
    net::SocketAddr,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// An operation without token and backend JWT.
pub(crate) const OPEN: &str = "/plain/1.0.0/open";
/// One with a token.
pub(crate) const VALIDATED: &str = "/plain/1.0.0/validated";
/// One with a token and a backend JWT.
pub(crate) const MINTED: &str = "/minting/1.0.0/minted";

/// The gateway's program.
#[derive(Debug, Clone)]
pub(crate) struct Binary(PathBuf);

/// A gateway that serves.
#[derive(Debug)]
pub(crate) struct Gateway {
    process: Process,
    _files: TempDir,
}

impl Binary {
    /// The program at this path, or beside this one.
    pub(crate) fn find(path: Option<&Path>) -> Result<Self, Fault> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => env::current_exe()?.with_file_name("gateway"),
        };
        if path.is_file() {
            return Ok(Self(path));
        }
        let hint = "cargo build --release -p gateway makes it, --gateway says where it is";
        Err(format!("there is no gateway at {}: {hint}", path.display()).into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Gateway {
    /// Starts it by this command, to which only the settings are added: it trusts this provider, and has this
    /// service behind it.
    pub(crate) fn start(
        mut command: Command,
        provider: &Provider,
        upstream: SocketAddr,
    ) -> Result<Self, Fault> {
        let files = tempfile::tempdir()?;
        let settings = write(files.path(), provider, upstream)?;
        command.arg("--config").arg(settings);
        // The line that is printed last, when the gateway listens already.
        let process = Process::start(&mut command, "signing with ")
            .map_err(|error| format!("{error}\n{}", why(&command)))?;
        Ok(Self {
            process,
            _files: files,
        })
    }
}

impl Deref for Gateway {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}

/// What the gateway has against its settings. When it serves, nobody reads what it logs.
fn why(command: &Command) -> String {
    let mut check = Command::new(command.get_program());
    match check.args(command.get_args()).arg("--check").output() {
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    }
}

/// Writes the settings and what they name, and gives the path of the settings.
fn write(folder: &Path, provider: &Provider, upstream: SocketAddr) -> Result<PathBuf, Fault> {
    fs::write(folder.join("jwks.json"), provider.jwks()?.json())?;
    let plain = "[{target: /open, verb: GET, secured: false}, {target: /validated, verb: GET}]";
    fs::write(folder.join("plain.yaml"), conf("plain", upstream, plain))?;
    let minting = conf("minting", upstream, "[{target: /minted, verb: GET}]");
    let policy = "apiPolicies: {request: [{policyName: BackendJwt, parameters: {encoding: Base64, signingAlgorithm: SHA256withRSA, header: X-JWT-Assertion, tokenTTL: 3600}}]}\n";
    fs::write(folder.join("minting.yaml"), minting + policy)?;
    let settings = folder.join("gateway.yaml");
    fs::write(
        &settings,
        format!(
            "listen: 127.0.0.1:0\napis: [plain.yaml, minting.yaml]\nissuers: [{{issuer: '{}', audiences: [{AUDIENCE}], jwks: {{file: jwks.json}}}}]\n",
            provider.name()
        ),
    )?;
    Ok(settings)
}

fn conf(name: &str, upstream: SocketAddr, operations: &str) -> String {
    format!(
        "name: {name}\nbasePath: /{name}\nversion: 1.0.0\ntype: REST\nendpointConfigurations: {{production: {{endpoint: 'http://{upstream}/base'}}}}\noperations: {operations}\n"
    )
}
