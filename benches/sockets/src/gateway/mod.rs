//! CPU time of the gateway for each request, alone on a core.

mod peers;
mod process;
mod rounds;
mod rows;

use crate::{
    Fault,
    args::Options,
    load::Protocol,
    machine::Pinning,
    report::Report,
    tokens::{self, Provider},
    upstream,
};
use rounds::{Round, Sizes};
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, runtime};
use tower_jwks::Algorithm;

pub(crate) use self::process::{Binary, Gateway, MINTED, OPEN, VALIDATED};

/// What the gateway and the proxies run on; this process has the other one.
const CORE: usize = 0;
const OWN_CORE: &str = "1";

/// What all rounds share.
#[derive(Debug)]
struct Bench {
    pinning: Pinning,
    gateway: Binary,
    provider: Provider,
    upstream: SocketAddr,
    /// Valid ones.
    tokens: Arc<[String]>,
    /// The same with signatures that do not hold.
    forged: Arc<[String]>,
    sizes: Sizes,
}

pub(crate) fn measure(options: &Options) -> Result<Report, Fault> {
    let gateway = Binary::find(options.gateway.as_deref())?;
    let pinning = Pinning::detect();
    let provider = Provider::new("https://idp.example.com/oauth2/token", Algorithm::RS256)?;
    let sizes = Sizes::new(options);
    let tokens = provider.tokens(sizes.tokens, 2)?;
    let forged = tokens.iter().enumerate().take(sizes.requests);
    let forged = forged.map(|(number, token)| tokens::forged(token, number));
    let forged = forged.collect();
    pinning.this_process(OWN_CORE)?;
    // The service behind and the load are one thread, so that no time goes into changing between them.
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let bench = Bench {
            pinning,
            gateway,
            provider,
            upstream: listener.local_addr()?,
            tokens,
            forged,
            sizes,
        };
        tokio::spawn(upstream::serve(listener));
        if pinning.is_on() {
            tokio::spawn(stay_awake());
        }
        bench.run(options).await
    })
}

/// Keeps the thread from sleeping. To wake a core that sleeps is dear in a virtual machine, some microseconds, and whoever
/// wakes it pays: the slower the server, the more often it would have to.
async fn stay_awake() {
    loop {
        tokio::task::yield_now().await;
    }
}

impl Bench {
    async fn run(&self, options: &Options) -> Result<Report, Fault> {
        let mut samples = rows::Samples::default();
        let peers = peers::all();
        let rounds = options.rounds(5);
        for round in 1..=rounds {
            samples.bare(self.provider.bare_us()?);
            for protocol in [Protocol::Http1, Protocol::Http2] {
                let suffix = match protocol {
                    Protocol::Http1 => "",
                    Protocol::Http2 => "-h2",
                };
                eprint!("\rround {round} of {rounds}, {protocol:?}    ");
                let mut round = Round::new(self, protocol, suffix, &mut samples);
                round.validating().await?;
                round.quiet().await?;
                round.minting().await?;
                for peer in &peers {
                    round.peer(peer).await?;
                }
            }
        }
        eprint!("\rmemory                      ");
        rounds::memory(self, &mut samples).await?;
        eprintln!();
        let mut report = rows::report(&samples);
        report.note(self.pinning.note());
        report.note("the load and the service behind never sleep, so that nobody is charged for waking them");
        report.note("what the gateway logs goes to /dev/null; `-quiet`: it logs errors alone, and not each refusal; `-h2`: HTTP/2, where a token that is sent again takes a byte or two");
        report.note(format!(
            "{} tokens of {} bytes; {} requests in flight; {rounds} rounds",
            self.tokens.len(),
            self.tokens.first().map_or(0, String::len),
            crate::load::CONCURRENCY,
        ));
        for peer in &peers {
            if !peer.is_installed() {
                report.note(format!("{}: not installed", peer.name()));
            } else if let Some(version) = peer.version() {
                report.note(format!("{}: {version}", peer.name()));
            }
        }
        Ok(report)
    }
}
