use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// A command that is printed before it runs, so that whoever reads the log can repeat it.
pub(crate) struct Shell {
    command: Command,
    text: String,
}

impl Shell {
    pub(crate) fn new(program: impl AsRef<OsStr>, directory: &Path) -> Self {
        let program = program.as_ref();
        let mut command = Command::new(program);
        command.current_dir(directory);
        // `cargo run` tells this program about its own package; some build scripts read the same
        // variables and would be built again each time.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(name);
            }
        }
        let text = program.to_string_lossy().into_owned();
        Self { command, text }
    }

    /// The cargo that runs this program, in the repository's root.
    pub(crate) fn cargo(root: &Path) -> Self {
        let mut shell = Self::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), root);
        "cargo".clone_into(&mut shell.text);
        shell
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.text = format!("{name}='{value}' {}", self.text);
        self
    }

    pub(crate) fn args<I>(mut self, arguments: I) -> Self
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        for argument in arguments {
            self.text.push(' ');
            self.text.push_str(&argument.as_ref().to_string_lossy());
            self.command.arg(argument);
        }
        self
    }

    /// Runs it with its output on this terminal.
    pub(crate) fn run(mut self) -> Result<(), String> {
        println!("$ {}", self.text);
        match self.command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{}` ended with {status}", self.text)),
            Err(error) => Err(format!("`{}` cannot be started: {error}", self.text)),
        }
    }

    /// Runs it as [`run`](Self::run) does, for one that has told by itself if it fails: whether it ends well.
    pub(crate) fn judge(mut self) -> Result<bool, String> {
        println!("$ {}", self.text);
        match self.command.status() {
            Ok(status) => Ok(status.success()),
            Err(error) => Err(format!("`{}` cannot be started: {error}", self.text)),
        }
    }

    /// Runs it, and gives away each line that it writes to its standard output.
    pub(crate) fn lines(mut self, mut line: impl FnMut(&str)) -> Result<(), String> {
        println!("$ {}", self.text);
        let spawned = self.command.stdout(Stdio::piped()).spawn();
        let mut child =
            spawned.map_err(|error| format!("`{}` cannot be started: {error}", self.text))?;
        if let Some(output) = child.stdout.take() {
            BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .for_each(|text| line(&text));
        }
        match child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{}` ended with {status}", self.text)),
            Err(error) => Err(format!("`{}` cannot be waited for: {error}", self.text)),
        }
    }

    /// What it writes to its standard output, when it ends well.
    pub(crate) fn read(mut self) -> Result<String, String> {
        let output = self.command.stderr(Stdio::inherit()).output();
        match output {
            Ok(output) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(output) => Err(format!("`{}` ended with {}", self.text, output.status)),
            Err(error) => Err(format!("`{}` cannot be started: {error}", self.text)),
        }
    }

    /// What it writes to its standard output, and whether it ends well.
    pub(crate) fn output(mut self) -> Result<(String, bool), String> {
        match self.command.stderr(Stdio::inherit()).output() {
            Ok(output) => Ok((
                String::from_utf8_lossy(&output.stdout).into_owned(),
                output.status.success(),
            )),
            Err(error) => Err(format!("`{}` cannot be started: {error}", self.text)),
        }
    }

    /// What it writes to its standard error, when it fails as it is meant to.
    pub(crate) fn fail(mut self) -> Result<String, String> {
        println!("$ {}  # is to fail", self.text);
        match self.command.output() {
            Ok(output) if output.status.success() => {
                Err(format!("`{}` ended well, where it is to fail", self.text))
            }
            Ok(output) => Ok(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("`{}` cannot be started: {error}", self.text)),
        }
    }

    /// Whether it can be started and ends well; nothing of it is shown.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}
