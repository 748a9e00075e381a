//! A real identity provider, npm's oidc-provider, as a process on loopback.

use serde::Deserialize;
use std::{
    error::Error,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

type Failure = Box<dyn Error + Send + Sync>;

/// The provider of `tests/interop/provider`, a process that ends with this value.
#[derive(Debug)]
pub struct Provider {
    directory: PathBuf,
    issuer: String,
    process: Child,
}

impl Provider {
    /// Starts it at this port, 0 for any, in the directory where its scripts and packages are; its keys
    /// are in `keys.json` there.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn start(directory: &Path, port: u16, arguments: &[&str]) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Listening {
            issuer: String,
        }

        let mut process = Command::new("node")
            .current_dir(directory)
            .args(["provider.mjs", "--keys", "keys.json", "--port"])
            .arg(port.to_string())
            .args(arguments)
            // It ends when this is closed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let listening: Listening = serde_json::from_str(&line)
            .map_err(|error| format!("the provider did not start: {line:?}: {error}"))?;
        Ok(Self {
            directory: directory.to_owned(),
            issuer: listening.issuer,
            process,
        })
    }

    /// The `iss` of its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    fn address(&self) -> Result<&str, Failure> {
        Ok(self.issuer.strip_prefix("http://").ok_or("not http")?)
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// Never: it has an address.
    pub fn port(&self) -> Result<u16, Failure> {
        let (_, port) = self.address()?.rsplit_once(':').ok_or("no port")?;
        Ok(port.parse()?)
    }

    /// An access token, got as a client does: `tokens.mjs ISSUER` with these arguments.
    ///
    /// # Errors
    ///
    /// The provider gives none.
    pub fn token(&self, arguments: &[&str]) -> Result<String, Failure> {
        #[derive(Deserialize)]
        struct Issued {
            access_token: String,
        }

        let output = Command::new("node")
            .current_dir(&self.directory)
            .args(["tokens.mjs", &self.issuer])
            .args(arguments)
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(format!("no token for {arguments:?}").into());
        }
        let issued: Issued = serde_json::from_slice(&output.stdout)?;
        Ok(issued.access_token)
    }

    /// Takes new keys in place of all it has.
    ///
    /// # Errors
    ///
    /// It does not.
    pub async fn rotate(&self) -> Result<(), Failure> {
        let address = self.address()?;
        let mut stream = TcpStream::connect(address).await?;
        let request = format!(
            "POST /control/rotate HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\n\
             connection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        if answer.starts_with("HTTP/1.1 200 ") {
            Ok(())
        } else {
            Err(format!("the keys are not rotated: {answer}").into())
        }
    }

    /// Ends it at once.
    ///
    /// # Errors
    ///
    /// It has ended before.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
