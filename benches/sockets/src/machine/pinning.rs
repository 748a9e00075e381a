//! Which process runs on which core.

use super::this_thread;
use crate::Fault;
use std::{
    ffi::OsStr,
    process::{self, Command, Stdio},
    thread,
};

/// Whether processes can be bound to cores here: there are two, and util-linux's `taskset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pinning(bool);

impl Pinning {
    /// Looks, and says on stderr what is missing.
    pub(crate) fn detect() -> Self {
        let there = run(Command::new("taskset").arg("--version"));
        let two = run(Command::new("taskset").args(["-c", "0,1", "true"]));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        if !there {
            eprintln!("taskset (util-linux) is not there: nothing is bound to a core");
        } else if !two || cores < 2 {
            eprintln!("there are no two cores: nothing is bound to a core");
        }
        Self(there && two && cores >= 2)
    }

    pub(crate) const fn is_on(self) -> bool {
        self.0
    }

    pub(crate) const fn note(self) -> &'static str {
        match self {
            Self(true) => "processes are bound to cores",
            Self(false) => "nothing is bound to a core: the figures are of little use",
        }
    }

    /// A command that runs on this core alone.
    pub(crate) fn command(self, program: impl AsRef<OsStr>, core: usize) -> Command {
        if !self.0 {
            return Command::new(program);
        }
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string()]).arg(program);
        command
    }

    /// Binds this process, with the threads that it has and those that it makes, to these cores (`0`, `0,1`).
    pub(crate) fn this_process(self, cores: &str) -> Result<(), Fault> {
        self.bind(&["-acp", cores, &process::id().to_string()])
    }

    /// Binds the thread that calls.
    pub(crate) fn this_thread(self, core: usize) -> Result<(), Fault> {
        self.bind(&["-cp", &core.to_string(), &this_thread()?])
    }

    fn bind(self, arguments: &[&str]) -> Result<(), Fault> {
        if self.0 && !run(Command::new("taskset").args(arguments)) {
            return Err(format!("taskset {} failed", arguments.join(" ")).into());
        }
        Ok(())
    }
}

fn run(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
