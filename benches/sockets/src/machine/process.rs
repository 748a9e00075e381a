//! A program that serves, as a child of this one.

use crate::Fault;
use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

/// Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts a program that prints `listening on http://ADDRESS` and, at the end of what it has to say, a line that
    /// begins with `last`.
    pub(crate) fn start(command: &mut Command, last: &str) -> Result<Self, Fault> {
        let name = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{name}: {error}"))?;
        let Some(output) = child.stdout.take() else {
            return Err("a child without an output".into());
        };
        let mut address = None;
        for line in BufReader::new(output).lines() {
            let line = line?;
            if let Some(found) = line.strip_prefix("listening on http://") {
                address = Some(found.trim().parse()?);
            }
            match address {
                Some(address) if line.starts_with(last) => return Ok(Self { child, address }),
                _ => {}
            }
        }
        let status = child.wait()?;
        Err(format!("{name} did not start: {status}").into())
    }

    /// Starts a program that says nothing, and waits until it can be connected to.
    pub(crate) fn start_silent(command: &mut Command, address: SocketAddr) -> Result<Self, Fault> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = quiet.stderr(Stdio::null()).spawn()?;
        let mut process = Self { child, address };
        for _ in 0..200 {
            if std::net::TcpStream::connect(address).is_ok() {
                return Ok(process);
            }
            if let Some(status) = process.child.try_wait()? {
                return Err(format!("{command:?} did not start: {status}").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(format!("{command:?} does not listen at {address}").into())
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Bytes of memory that are resident.
    pub(crate) fn resident(&self) -> Result<f64, Fault> {
        let status = fs::read_to_string(
            Path::new("/proc")
                .join(self.id().to_string())
                .join("status"),
        )?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kilobytes.ok_or("no VmRSS")?.parse::<f64>()? * 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
