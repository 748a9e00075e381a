//! Plain proxies of the same shape, as far as they are installed.

use crate::{
    Fault,
    load::Protocol,
    machine::{Pinning, Process},
};
use std::{
    env, fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// Another proxy.
#[derive(Debug)]
pub(super) struct Peer {
    kind: Kind,
    program: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// hyper's server and client as they come: `bench-hyper-proxy`, of this package.
    Hyper,
    Nginx,
    Haproxy,
}

/// One that serves, and its files.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) process: Process,
    _files: TempDir,
}

/// All that are known.
pub(super) fn all() -> Vec<Peer> {
    let beside = env::current_exe().ok();
    let hyper = beside.map(|own| own.with_file_name("bench-hyper-proxy"));
    [
        (Kind::Hyper, hyper),
        (Kind::Nginx, installed("nginx")),
        (Kind::Haproxy, installed("haproxy")),
    ]
    .map(|(kind, program)| Peer {
        kind,
        program: program.filter(|path| path.is_file()),
    })
    .into()
}

/// Where the program is. Debian has servers in `/usr/sbin`, which is not in everybody's `PATH`.
fn installed(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

impl Peer {
    pub(super) const fn name(&self) -> &'static str {
        match self.kind {
            Kind::Hyper => "hyper-proxy",
            Kind::Nginx => "nginx",
            Kind::Haproxy => "haproxy",
        }
    }

    pub(super) const fn is_installed(&self) -> bool {
        self.program.is_some()
    }

    /// Starts it, if it is installed.
    pub(super) fn start(
        &self,
        pinning: Pinning,
        core: usize,
        upstream: SocketAddr,
        protocol: Protocol,
    ) -> Result<Option<Serving>, Fault> {
        let Some(program) = &self.program else {
            return Ok(None);
        };
        let files = tempfile::tempdir()?;
        let mut command = pinning.command(program, core);
        let address = free_address()?;
        let process = match self.kind {
            Kind::Hyper => {
                command
                    .env("TOKIO_WORKER_THREADS", "1")
                    .arg(upstream.to_string());
                Process::start(&mut command, "listening on ")?
            }
            Kind::Nginx => {
                let conf = nginx(files.path(), address, upstream, protocol);
                let conf = write(files.path(), &conf)?;
                command.arg("-p").arg(files.path()).arg("-c").arg(conf);
                Process::start_silent(&mut command, address)?
            }
            Kind::Haproxy => {
                let conf = write(files.path(), &haproxy(address, upstream, protocol))?;
                // In the foreground.
                command.arg("-db").arg("-f").arg(conf);
                Process::start_silent(&mut command, address)?
            }
        };
        Ok(Some(Serving {
            process,
            _files: files,
        }))
    }

    /// What its makers say it is.
    pub(super) fn version(&self) -> Option<String> {
        let argument = if self.kind == Kind::Hyper {
            return None;
        } else {
            "-v"
        };
        let output = Command::new(self.program.as_ref()?)
            .arg(argument)
            .output()
            .ok()?;
        // nginx says it on stderr.
        let said = [output.stdout, output.stderr].concat();
        Some(String::from_utf8_lossy(&said).lines().next()?.to_owned())
    }
}

/// Nobody listens there now, and most likely nobody will in a moment.
fn free_address() -> Result<SocketAddr, Fault> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}

fn write(folder: &Path, conf: &str) -> Result<PathBuf, Fault> {
    let file = folder.join("proxy.conf");
    fs::write(&file, conf)?;
    Ok(file)
}

/// One process, no log, connections that stay on both sides.
fn nginx(folder: &Path, address: SocketAddr, upstream: SocketAddr, protocol: Protocol) -> String {
    let folder = folder.display();
    let http2 = match protocol {
        Protocol::Http1 => "",
        Protocol::Http2 => " http2",
    };
    format!(
        "daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/errors crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/client;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream behind {{ server {upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen {address}{http2};
    keepalive_requests 100000000;
    location / {{ proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ''; }}
  }}
}}
"
    )
}

/// One thread, no log, connections that stay on both sides.
fn haproxy(address: SocketAddr, upstream: SocketAddr, protocol: Protocol) -> String {
    let proto = match protocol {
        Protocol::Http1 => "",
        Protocol::Http2 => " proto h2",
    };
    format!(
        "global
  nbthread 1
  maxconn 1024
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend in_front
  bind {address}{proto}
  default_backend behind
backend behind
  server one {upstream}
"
    )
}
