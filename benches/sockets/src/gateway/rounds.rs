//! What one round does, and how much of it.

use super::{
    Bench, CORE, Gateway, MINTED, OPEN, VALIDATED,
    peers::Peer,
    rows::{Sample, Samples},
};
use crate::{
    Fault,
    args::Options,
    load::{Connections, Protocol, Work},
    machine::{CpuTime, Process, Watch, threads_cpu},
};
use std::{sync::Arc, time::Duration};

/// How many of everything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Tokens of which each is used once.
    pub(super) tokens: usize,
    /// Of those the ones that are minted from in each round.
    pub(super) minted: usize,
    /// Requests that are alike.
    pub(super) requests: usize,
}

impl Sizes {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            tokens: options.pick(200, 20_000),
            minted: options.pick(100, 4_000),
            requests: options.pick(200, 10_000),
        }
    }
}

/// One round over one protocol.
pub(super) struct Round<'a> {
    bench: &'a Bench,
    protocol: Protocol,
    /// Of the rows' names.
    suffix: &'static str,
    samples: &'a mut Samples,
}

/// A server, and connections to it.
struct Serving<'a> {
    server: &'a Process,
    connections: Connections,
    /// What a plain request costs it.
    plain_us: f64,
}

impl<'a> Round<'a> {
    pub(super) fn new(
        bench: &'a Bench,
        protocol: Protocol,
        suffix: &'static str,
        samples: &'a mut Samples,
    ) -> Self {
        Self {
            bench,
            protocol,
            suffix,
            samples,
        }
    }

    /// With tokens that are validated only. The gateway is a new one, which has seen none of them.
    pub(super) async fn validating(&mut self) -> Result<(), Fault> {
        let Bench {
            tokens,
            forged,
            sizes,
            ..
        } = self.bench;
        let gateway = start(self.bench, None)?;
        let mut serving = self.serving(&gateway).await?;
        let one = tokens[..1].into();
        let plain = plain(sizes.requests);
        serving.plain_us = self.sample("plain", &mut serving, plain).await?;
        // What it costs to carry the token, though nobody looks at it.
        let carried = work(OPEN, &one, sizes.requests);
        self.sample("plain-with-token", &mut serving, carried)
            .await?;
        let warm = work(VALIDATED, &one, sizes.requests);
        serving.drive(work(VALIDATED, &one, 100)).await?;
        self.sample("warm-validate", &mut serving, warm).await?;
        let cold = work(VALIDATED, tokens, tokens.len());
        self.sample("cold-validate", &mut serving, cold.clone())
            .await?;
        self.sample("repeated-20000", &mut serving, cold).await?;
        let forged = Work {
            status: 401,
            ..work(VALIDATED, forged, sizes.requests)
        };
        self.sample("forged", &mut serving, forged).await?;
        Ok(())
    }

    /// With a gateway that logs errors alone. By default each refusal is a line of the log.
    pub(super) async fn quiet(&mut self) -> Result<(), Fault> {
        let Bench {
            tokens,
            forged,
            sizes,
            ..
        } = self.bench;
        let gateway = start(self.bench, Some("error"))?;
        let mut serving = self.serving(&gateway).await?;
        let plain = plain(sizes.requests);
        serving.plain_us = self.sample("plain-quiet", &mut serving, plain).await?;
        let one = tokens[..1].into();
        serving.drive(work(MINTED, &one, 100)).await?;
        let warm = work(MINTED, &one, sizes.requests);
        self.sample("warm-quiet", &mut serving, warm).await?;
        let forged = Work {
            status: 401,
            ..work(VALIDATED, forged, sizes.requests)
        };
        self.sample("forged-quiet", &mut serving, forged).await?;
        Ok(())
    }

    /// With backend JWTs.
    pub(super) async fn minting(&mut self) -> Result<(), Fault> {
        let Bench { tokens, sizes, .. } = self.bench;
        let gateway = start(self.bench, None)?;
        let mut serving = self.serving(&gateway).await?;
        let plain = plain(sizes.requests);
        serving.plain_us = serving.measure(plain).await?.cpu_us;
        let one = tokens[..1].into();
        serving.drive(work(MINTED, &one, 100)).await?;
        let warm = work(MINTED, &one, sizes.requests);
        self.sample("warm", &mut serving, warm).await?;
        let cold = work(MINTED, &tokens[1..].into(), sizes.minted);
        self.sample("cold-validate-and-mint", &mut serving, cold)
            .await?;
        Ok(())
    }

    /// A plain proxy of the same shape.
    pub(super) async fn peer(&mut self, peer: &Peer) -> Result<(), Fault> {
        let Some(proxy) =
            peer.start(self.bench.pinning, CORE, self.bench.upstream, self.protocol)?
        else {
            return Ok(());
        };
        let mut serving = self.serving(&proxy.process).await?;
        let Bench { tokens, sizes, .. } = self.bench;
        let name = peer.name();
        let plain = plain(sizes.requests);
        serving.plain_us = self.sample(name, &mut serving, plain).await?;
        let carried = work(OPEN, &tokens[..1].into(), sizes.requests);
        let name = format!("{name}-with-token");
        self.sample(&name, &mut serving, carried).await?;
        Ok(())
    }

    async fn serving<'s>(&self, server: &'s Process) -> Result<Serving<'s>, Fault> {
        let connections = Connections::open(self.protocol, server.address()).await?;
        let mut serving = Serving {
            server,
            connections,
            plain_us: f64::NAN,
        };
        serving.drive(plain(self.bench.sizes.requests / 5)).await?;
        Ok(serving)
    }

    async fn sample(
        &mut self,
        name: &str,
        serving: &mut Serving<'_>,
        work: Work,
    ) -> Result<f64, Fault> {
        let sample = serving.measure(work).await?;
        self.samples.push(format!("{name}{}", self.suffix), sample);
        Ok(sample.cpu_us)
    }
}

impl Serving<'_> {
    async fn drive(&mut self, work: Work) -> Result<(), Fault> {
        self.connections.drive(work).await
    }

    async fn measure(&mut self, work: Work) -> Result<Sample, Fault> {
        let requests = work.requests as f64;
        let before = self.cpu().await?;
        let watch = Watch::start()?;
        self.drive(work).await?;
        let elapsed = watch.elapsed().as_secs_f64();
        let cpu = self.cpu().await? - before;
        let shares = watch.shares(Some(cpu))?;
        Ok(Sample {
            cpu_us: cpu.micros() / requests,
            over_plain_us: cpu.micros() / requests - self.plain_us,
            requests_per_s: requests / elapsed,
            busy_percent: cpu.as_secs_f64() / elapsed * 100.0,
            others_cores: shares.others_cores,
        })
    }

    async fn cpu(&self) -> Result<CpuTime, Fault> {
        // Until what it does after the last answer is done, and counted.
        tokio::time::sleep(Duration::from_millis(15)).await;
        threads_cpu(self.server.id())
    }
}

fn start(bench: &Bench, log: Option<&str>) -> Result<Gateway, Fault> {
    let mut command = bench.pinning.command(bench.gateway.path(), CORE);
    command
        .env("TOKIO_WORKER_THREADS", "1")
        .env_remove("RUST_LOG");
    if let Some(level) = log {
        command.env("RUST_LOG", level);
    }
    Gateway::start(command, &bench.provider, bench.upstream)
}

/// How much memory is resident for the tokens, validated only and minted from.
pub(super) async fn memory(bench: &Bench, samples: &mut Samples) -> Result<(), Fault> {
    for (name, path) in [("validated", VALIDATED), ("minted", MINTED)] {
        let gateway = start(bench, None)?;
        let mut connections = Connections::open(Protocol::Http1, gateway.address()).await?;
        connections.drive(plain(bench.sizes.requests)).await?;
        let before = gateway.resident()?;
        connections
            .drive(work(path, &bench.tokens, bench.tokens.len()))
            .await?;
        samples.memory(name, before, gateway.resident()?);
    }
    Ok(())
}

fn plain(requests: usize) -> Work {
    work(OPEN, &Arc::default(), requests)
}

fn work(path: &'static str, tokens: &Arc<[String]>, requests: usize) -> Work {
    Work {
        path,
        tokens: Arc::clone(tokens),
        requests,
        status: 200,
    }
}
