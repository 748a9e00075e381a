//! What is signed aside waits until it is told to go on.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, PoisonError},
    task::{Context, Poll, Waker},
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};
use tower_jwks::{Clock, UnixTime};

/// A runtime of this thread alone, and a gate for all other threads: whoever asks a [clock](Self::clock) of its
/// there, as a signature does that is made aside, waits while it is held.
#[derive(Debug)]
pub struct Aside {
    runtime: Runtime,
    gate: Arc<Gate>,
}

#[derive(Debug, Default)]
struct Gate {
    held: Mutex<bool>,
    opened: Condvar,
}

impl Aside {
    /// Nothing is held.
    ///
    /// # Panics
    ///
    /// There is no runtime to be had.
    #[must_use]
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        Self {
            runtime: runtime.expect("a runtime"),
            gate: Arc::default(),
        }
    }

    /// A clock that keeps other threads waiting while they are held.
    pub fn clock(&self, clock: impl Clock) -> impl Clock {
        let (home, gate) = (thread::current().id(), Arc::clone(&self.gate));
        move || -> UnixTime {
            if thread::current().id() != home {
                let held = gate.held.lock().unwrap_or_else(PoisonError::into_inner);
                drop(gate.opened.wait_while(held, |held| *held));
            }
            clock.now()
        }
    }

    /// Does what follows in this runtime.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Does this in this runtime, without waiting for anything.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let _in = self.runtime.enter();
        work()
    }

    /// Polls a future once in this runtime.
    pub fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        self.within(|| future.poll(&mut Context::from_waker(Waker::noop())))
    }

    /// Holds up all that is done aside from now on.
    pub fn hold(&self) {
        self.set(true);
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.set(false);
    }

    fn set(&self, held: bool) {
        let mut gate = self
            .gate
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *gate = held;
        self.gate.opened.notify_all();
    }
}

impl Default for Aside {
    fn default() -> Self {
        Self::new()
    }
}

/// Nobody is kept waiting by a test that has failed.
impl Drop for Aside {
    fn drop(&mut self) {
        self.go_on();
    }
}

/// Waits for what another thread does.
///
/// # Panics
///
/// It does not, in a time that is more than enough.
// A test that fails is better than one that hangs, and no outcome depends on this time.
#[allow(clippy::disallowed_methods)]
pub fn until(mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it is not so yet"
        );
        thread::yield_now();
    }
}
