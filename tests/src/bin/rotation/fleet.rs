//! The gateways, as processes.

use crate::Failure;
use std::{
    fs::OpenOptions,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

pub(crate) const GATEWAYS: usize = 3;

/// How soon a gateway has to listen.
const PATIENCE: Duration = Duration::from_secs(20);

/// Gateways with the same settings; they end with this value.
pub(crate) struct Fleet {
    program: PathBuf,
    folder: PathBuf,
    gateways: Mutex<Vec<Gateway>>,
}

struct Gateway {
    process: Child,
    life: Life,
    killed: bool,
}

/// From a start of a gateway to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) address: SocketAddr,
    number: u32,
}

impl Fleet {
    /// All at once, as the first of them has to make the keys.
    pub(crate) async fn start(program: &Path, folder: &Path) -> Result<Self, Failure> {
        let fleet = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            gateways: Mutex::default(),
        };
        let (first, second, third) =
            tokio::try_join!(fleet.process(0), fleet.process(1), fleet.process(2))?;
        let gateways: [_; GATEWAYS] = [first, second, third];
        fleet
            .gateways()
            .extend(gateways.map(|(process, address)| Gateway {
                process,
                life: Life { address, number: 0 },
                killed: false,
            }));
        Ok(fleet)
    }

    async fn process(&self, index: usize) -> Result<(Child, SocketAddr), Failure> {
        let log = self.folder.join(format!("gateway-{}.log", index + 1));
        let mut process = Command::new(&self.program)
            .arg("--config")
            .arg(self.folder.join("gateway.yaml"))
            .env("RUST_LOG", "info")
            .stdout(Stdio::piped())
            .stderr(OpenOptions::new().create(true).append(true).open(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let listening = async {
            let mut lines = BufReader::new(output).lines();
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = line.strip_prefix("listening on http://") {
                    return Ok(address.parse()?);
                }
            }
            Err(Failure::from("it has ended"))
        };
        match timeout(PATIENCE, listening).await {
            Ok(Ok(address)) => Ok((process, address)),
            Ok(Err(error)) => {
                Err(format!("a gateway did not start: {error}; see {}", log.display()).into())
            }
            Err(_) => Err(format!("a gateway did not start; see {}", log.display()).into()),
        }
    }

    /// Where it listens, or did last: who balances the load does not know that it is gone.
    pub(crate) fn last_address(&self, index: usize) -> Option<SocketAddr> {
        Some(self.gateways().get(index)?.life.address)
    }

    /// `None` while it is killed.
    pub(crate) fn life(&self, index: usize) -> Option<Life> {
        let gateways = self.gateways();
        let gateway = gateways.get(index)?;
        (!gateway.killed).then_some(gateway.life)
    }

    /// With SIGKILL: nothing of it can be put in order.
    pub(crate) fn kill(&self, index: usize) -> io::Result<()> {
        let mut gateways = self.gateways();
        let gateway = gateways.get_mut(index).ok_or(io::ErrorKind::NotFound)?;
        gateway.killed = true;
        gateway.process.start_kill()
    }

    pub(crate) async fn start_again(&self, index: usize) -> Result<(), Failure> {
        let (process, address) = self.process(index).await?;
        let mut gateways = self.gateways();
        let gateway = gateways.get_mut(index).ok_or("no such gateway")?;
        let number = gateway.life.number + 1;
        *gateway = Gateway {
            process,
            life: Life { address, number },
            killed: false,
        };
        Ok(())
    }

    fn gateways(&self) -> MutexGuard<'_, Vec<Gateway>> {
        self.gateways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
