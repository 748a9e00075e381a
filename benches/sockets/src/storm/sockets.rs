//! The storm on a gateway, which has both cores.

use super::{
    phase::{Phase, Seen, WARM_RATE, WARM_TOKENS, phases},
    rows,
    schedule::Schedule,
};
use crate::{
    Fault,
    args::Options,
    gateway::{Binary, Gateway, MINTED},
    load::{http1_request, http1_status},
    machine::{Watch, precise_sleep, prefer_this_thread, threads_cpu},
    report::Report,
    tokens::Provider,
    upstream,
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tokio::{net::TcpListener, runtime};
use tower_jwks::Algorithm;

const WARM_CONNECTIONS: usize = 16;
/// Enough for the answers that are outstanding, as each waits for a signature.
const NEW_CONNECTIONS: usize = 32;

pub(crate) fn measure(options: &Options) -> Result<Report, Fault> {
    let binary = Binary::find(options.gateway.as_deref())?;
    let provider = Provider::new("https://idp.example.com/oauth2/token", Algorithm::RS256)?;
    let phases = phases(options);
    let new: usize = phases.iter().map(|phase| phase.new_tokens()).sum();
    let tokens = provider.tokens(WARM_TOKENS + new, 2)?;
    let upstream = start_upstream()?;
    let mut rounds = Vec::new();
    let count = options.rounds(5);
    for round in 1..=count {
        // Each round has a new gateway, so that the tokens are new again.
        let mut command = Command::new(binary.path());
        command
            .env("TOKIO_WORKER_THREADS", "2")
            .env_remove("RUST_LOG");
        let gateway = Gateway::start(command, &provider, upstream)?;
        let (warm, mut new) = tokens.split_at(WARM_TOKENS);
        let mut seen = Vec::new();
        for phase in phases {
            eprint!("\rround {round} of {count}, {}     ", phase.name());
            let tokens;
            (tokens, new) = new.split_at(phase.new_tokens());
            seen.push(run(phase, &gateway, warm, tokens)?);
        }
        rounds.push(seen);
    }
    eprintln!();
    let mut report = rows::report("", &phases, &rounds);
    report.note(match prefer_this_thread() {
        true => "the load and the service behind run before the gateway when they have something to do",
        false => "the load and the service behind wait for the cores like the gateway (no chrt, or not root)",
    });
    report.note(format!(
        "{WARM_RATE} requests a second with {WARM_TOKENS} known tokens; the gateway has 2 workers; {count} rounds"
    ));
    Ok(report)
}

/// On a thread of its own.
fn start_upstream() -> Result<SocketAddr, Fault> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || -> Result<(), Fault> {
        prefer_this_thread();
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            tell.send(listener.local_addr()?)?;
            Ok(upstream::serve(listener).await?)
        })
    });
    Ok(told.recv()?)
}

fn run(phase: Phase, gateway: &Gateway, warm: &[String], new: &[String]) -> Result<Seen, Fault> {
    let address = gateway.address();
    // Known from here on, each on each connection.
    let once = Schedule {
        start: Instant::now(),
        rate: WARM_RATE,
        requests: 10 * WARM_CONNECTIONS,
        senders: WARM_CONNECTIONS,
    };
    send(once, address, warm)?;

    // The time that the threads need to start.
    let start = Instant::now() + Duration::from_millis(300);
    let known = Schedule {
        start,
        requests: phase.requests(WARM_RATE),
        ..once
    };
    let storm = Schedule {
        start,
        rate: phase.storm,
        requests: new.len(),
        senders: NEW_CONNECTIONS,
    };
    let before = threads_cpu(gateway.id())?;
    let watch = Watch::start()?;
    let (known, storm) = thread::scope(|scope| {
        let storm = scope.spawn(|| send(storm, address, new));
        (send(known, address, warm), storm.join())
    });
    let (known, storm) = (known?, storm.map_err(|_| "a thread that sends panicked")??);
    thread::sleep(Duration::from_millis(20));
    let gateway = threads_cpu(gateway.id())? - before;
    let shares = watch.shares(Some(gateway))?;
    Ok(Seen {
        warm_us: known.iter().map(|times| times.answered_us).collect(),
        late_us: known.iter().map(|times| times.sent_us).collect(),
        refused: known
            .iter()
            .chain(&storm)
            .filter(|times| times.refused)
            .count(),
        new_us: storm.iter().map(|times| times.answered_us).collect(),
        gateway_cores: gateway.as_secs_f64() / shares.elapsed.as_secs_f64(),
        generator_cores: shares.own_cores,
        others_cores: shares.others_cores,
    })
}

/// Since the request was due.
struct Times {
    sent_us: f64,
    answered_us: f64,
    refused: bool,
}

/// One thread and one connection for each sender.
fn send(schedule: Schedule, address: SocketAddr, tokens: &[String]) -> Result<Vec<Times>, Fault> {
    thread::scope(|scope| {
        let senders: Vec<_> = (0..schedule.senders.min(schedule.requests))
            .map(|sender| scope.spawn(move || send_as(sender, schedule, address, tokens)))
            .collect();
        let mut all = Vec::new();
        for sender in senders {
            all.extend(
                sender
                    .join()
                    .map_err(|_| "a thread that sends panicked")??,
            );
        }
        Ok(all)
    })
}

fn send_as(
    sender: usize,
    schedule: Schedule,
    address: SocketAddr,
    tokens: &[String],
) -> Result<Vec<Times>, Fault> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    prefer_this_thread();
    let mut sleep_until = precise_sleep();
    let micros = |due: Instant| due.elapsed().as_secs_f64() * 1e6;
    let mut request = Vec::new();
    let mut response = vec![0; 16 * 1024];
    let mut all = Vec::new();
    for (number, due) in schedule.of(sender) {
        http1_request(&mut request, MINTED, Some(&tokens[number % tokens.len()]));
        sleep_until(due);
        let sent_us = micros(due);
        stream.write_all(&request)?;
        let mut length = 0;
        let status = loop {
            let read = stream.read(&mut response[length..])?;
            if read == 0 {
                return Err("the gateway closed a connection".into());
            }
            length += read;
            if let Some(status) = http1_status(&response[..length])? {
                break status;
            }
        };
        all.push(Times {
            sent_us,
            answered_us: micros(due),
            refused: status != 200,
        });
    }
    Ok(all)
}
