//! When a backend JWT is verified: a service may see it at any time of its life.

use crate::{Failure, jwt::Jwt, tally::Tally, verifier::Verifier};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, sleep_until},
};
use tower_jwks::{Clock, SystemClock, UnixTime};

/// Before its `exp`: time enough for the question, as few keys as possible are left then.
const BEFORE_END: Duration = Duration::from_millis(200);

/// More than the load makes, if the verifiers keep up with it.
const MOST: u32 = 10_000;

pub(crate) struct Checks {
    verifiers: Vec<Verifier>,
    tally: Arc<Tally>,
    open: Arc<Semaphore>,
    start: Start,
    number: AtomicU64,
}

/// A moment at which a second began, by both clocks: times in a token are whole seconds, and too coarse
/// for what is to happen just before them.
#[derive(Clone, Copy)]
struct Start {
    unix: UnixTime,
    at: Instant,
}

impl Start {
    async fn find() -> Self {
        let before = SystemClock.now();
        loop {
            let unix = SystemClock.now();
            if unix != before {
                let at = Instant::now();
                return Self { unix, at };
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    fn instant(self, time: UnixTime) -> Instant {
        self.at + time.saturating_since(self.unix)
    }
}

impl Checks {
    pub(crate) async fn new(verifiers: Vec<Verifier>, tally: Arc<Tally>) -> Self {
        Self {
            verifiers,
            tally,
            open: Arc::new(Semaphore::new(MOST as usize)),
            start: Start::find().await,
            number: AtomicU64::new(0),
        }
    }

    /// At once, at some time until its end, and just before that.
    pub(crate) fn follow(self: &Arc<Self>, gateway: usize, jwt: Jwt) {
        let now = Instant::now();
        let end = self.start.instant(jwt.end);
        let last = end.checked_sub(BEFORE_END).unwrap_or(now).max(now);
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let some_time = now + (last - now).mul_f64(share(number));
        let Ok(open) = Arc::clone(&self.open).try_acquire_owned() else {
            self.tally.failed("the verifiers do not keep up");
            return;
        };
        let checks = Arc::clone(self);
        tokio::spawn(async move {
            let jwt = &jwt;
            for (when, at) in [("at once", now), ("later", some_time), ("at its end", last)] {
                sleep_until(at).await;
                let what = format!("a JWT of gateway {}, {when}, kid {}", gateway + 1, jwt.kid);
                for verifier in &checks.verifiers {
                    verifier.verify(&jwt.text, &what).await;
                }
            }
            // Before it counts as done, as the last one ends the verifiers.
            drop(checks);
            drop(open);
        });
    }

    /// When the last check is made and answered.
    ///
    /// # Errors
    ///
    /// Something may still follow a JWT.
    pub(crate) async fn end(self: Arc<Self>) -> Result<(), Failure> {
        let open = Arc::clone(&self.open);
        let _all = open.acquire_many(MOST).await?;
        let checks = Arc::into_inner(self).ok_or("the checks have not ended")?;
        for verifier in checks.verifiers {
            verifier.end().await;
        }
        Ok(())
    }
}

/// A number from 0 to 1. Successive ones are spread evenly, by the golden ratio, and the same in each run.
fn share(number: u64) -> f64 {
    let share = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    share as f64 / f64::from(u32::MAX)
}
