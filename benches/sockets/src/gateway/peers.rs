//! Plain proxies of the same shape, as far as they are installed.

use crate::{
    Fault,
    load::Protocol,
    machine::{Pinning, Process},
};
use std::{env, net::SocketAddr, path::PathBuf};

/// Another proxy.
#[derive(Debug)]
pub(super) struct Peer {
    kind: Kind,
    program: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Hyper,
}

/// All that are known.
pub(super) fn all() -> Vec<Peer> {
    let beside = env::current_exe().ok();
    let hyper = beside.map(|own| own.with_file_name("bench-hyper-proxy"));
    vec![Peer {
        kind: Kind::Hyper,
        program: hyper.filter(|path| path.is_file()),
    }]
}

impl Peer {
    pub(super) const fn name(&self) -> &'static str {
        match self.kind {
            Kind::Hyper => "hyper-proxy",
        }
    }

    pub(super) const fn is_installed(&self) -> bool {
        self.program.is_some()
    }

    /// Starts it, if it is installed and speaks that protocol.
    pub(super) fn start(
        &self,
        pinning: Pinning,
        core: usize,
        upstream: SocketAddr,
        protocol: Protocol,
    ) -> Result<Option<Process>, Fault> {
        let Some(program) = &self.program else {
            return Ok(None);
        };
        let mut command = pinning.command(program, core);
        match (self.kind, protocol) {
            (Kind::Hyper, Protocol::Http1 | Protocol::Http2) => {
                command
                    .env("TOKIO_WORKER_THREADS", "1")
                    .arg(upstream.to_string());
                Process::start(&mut command, "listening on ").map(Some)
            }
        }
    }
}
