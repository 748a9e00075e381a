//! The storm on the layers themselves: does a signature on a worker of the runtime keep others waiting?

use super::{
    phase::{Phase, Seen, WARM_RATE, WARM_TOKENS, phases},
    rows,
    schedule::Schedule,
};
use crate::{
    Fault,
    args::Options,
    machine::{Watch, precise_sleep, prefer_this_thread},
    report::Report,
    stack::{self, DEFAULT_BOUNDS, Leaf, Stack},
    tokens::Provider,
};
use http::HeaderValue;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::{self, Handle};
use tower::ServiceExt;
use tower_jwks::Algorithm;

pub(crate) fn measure(options: &Options) -> Result<Report, Fault> {
    let provider = Provider::new("https://idp.example.com/oauth2/token", Algorithm::RS256)?;
    let verifier = stack::verifier([&provider])?;
    let phases = phases(options);
    let new: usize = phases.iter().map(|phase| phase.new_tokens()).sum();
    let tokens = provider.tokens(WARM_TOKENS + new, 2)?;
    let tokens = tokens.iter().map(|token| stack::bearer(token));
    let tokens = tokens.collect::<Result<Vec<_>, _>>()?;
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let mut rounds = Vec::new();
    let count = options.rounds(5);
    for round in 1..=count {
        // New layers in each round, so that the tokens are new again.
        let minting = stack::minting(Algorithm::RS256, Some(DEFAULT_BOUNDS))?;
        let validating = stack::validating(&verifier, Some(DEFAULT_BOUNDS));
        let stack = stack::both(&validating, &minting, Leaf::default());
        let (warm, mut new) = tokens.split_at(WARM_TOKENS);
        let mut seen = Vec::new();
        for phase in phases {
            eprint!("\rround {round} of {count}, {}     ", phase.name());
            let tokens;
            (tokens, new) = new.split_at(phase.new_tokens());
            seen.push(run(phase, runtime.handle(), &stack, warm, tokens)?);
        }
        rounds.push(seen);
    }
    eprintln!();
    let mut report = rows::report("in-process-", &phases, &rounds);
    report.note(match prefer_this_thread() {
        true => "what starts the tasks runs before the runtime's workers when a task is due",
        false => {
            "what starts the tasks waits for the cores like the workers (no chrt, or not root)"
        }
    });
    report.note(format!(
        "{WARM_RATE} requests a second with {WARM_TOKENS} known tokens, a task each; 2 workers; {count} rounds; `generator_cores` is all of the process"
    ));
    Ok(report)
}

fn run(
    phase: Phase,
    runtime: &Handle,
    stack: &Stack,
    warm: &[HeaderValue],
    new: &[HeaderValue],
) -> Result<Seen, Fault> {
    // Known from here on.
    let once = Schedule {
        start: Instant::now(),
        rate: WARM_RATE,
        requests: 10 * WARM_TOKENS,
        senders: 1,
    };
    spawn(once, runtime, stack, warm)?;

    let start = Instant::now() + Duration::from_millis(100);
    let known = Schedule {
        start,
        requests: phase.requests(WARM_RATE),
        ..once
    };
    let storm = Schedule {
        start,
        rate: phase.storm,
        requests: new.len(),
        senders: 1,
    };
    let watch = Watch::start()?;
    let (known, storm) = thread::scope(|scope| {
        let known = scope.spawn(|| spawn(known, runtime, stack, warm));
        let storm = scope.spawn(|| spawn(storm, runtime, stack, new));
        (known.join(), storm.join())
    });
    let known = known.map_err(|_| "a thread that starts tasks panicked")??;
    let storm = storm.map_err(|_| "a thread that starts tasks panicked")??;
    let shares = watch.shares(None)?;
    Ok(Seen {
        warm_us: known.done_us,
        late_us: known.started_us,
        refused: known.refused + storm.refused,
        new_us: storm.done_us,
        gateway_cores: f64::NAN,
        generator_cores: shares.own_cores,
        others_cores: shares.others_cores,
    })
}

/// Since the requests were due.
struct Times {
    started_us: Vec<f64>,
    done_us: Vec<f64>,
    refused: usize,
}

/// Starts a task for each request when it is due, and waits for all of them.
fn spawn(
    schedule: Schedule,
    runtime: &Handle,
    stack: &Stack,
    tokens: &[HeaderValue],
) -> Result<Times, Fault> {
    const UNDONE: u64 = u64::MAX;
    prefer_this_thread();
    let mut sleep_until = precise_sleep();
    // The nanoseconds that each took: the tasks need not wait for one another to write them down.
    let done: Arc<[_]> = (0..schedule.requests)
        .map(|_| AtomicU64::new(UNDONE))
        .collect();
    let failed = Arc::new(AtomicUsize::new(0));
    let mut started_us = Vec::with_capacity(schedule.requests);
    for (number, due) in schedule.of(0) {
        let request = stack::request(tokens[number % tokens.len()].clone());
        let (stack, done, failed) = (stack.clone(), Arc::clone(&done), Arc::clone(&failed));
        sleep_until(due);
        started_us.push(due.elapsed().as_secs_f64() * 1e6);
        runtime.spawn(async move {
            let status = stack
                .oneshot(request)
                .await
                .map(|response| response.status());
            let nanoseconds = due.elapsed().as_nanos() as u64;
            done[number].store(nanoseconds, Ordering::Release);
            if !status.is_ok_and(|status| status.is_success()) {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let patience = Instant::now() + Duration::from_secs(60);
    while done.iter().any(|one| one.load(Ordering::Acquire) == UNDONE) {
        if Instant::now() > patience {
            return Err("requests are not answered".into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    let nanoseconds = done.iter().map(|one| one.load(Ordering::Relaxed));
    Ok(Times {
        refused: failed.load(Ordering::Relaxed),
        started_us,
        done_us: nanoseconds.map(|one| one as f64 / 1000.0).collect(),
    })
}
