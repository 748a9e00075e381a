//! A runtime whose blocking work waits until it is told to go on.

use std::{
    future::Future,
    pin::Pin,
    sync::mpsc,
    task::{Context, Poll, Waker},
};
use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime with one thread for blocking work, which can be held up: what is to be done aside waits then,
/// and is done in its order when it goes on.
#[derive(Debug)]
pub struct Aside {
    runtime: Runtime,
    held: Option<mpsc::Sender<()>>,
}

impl Aside {
    /// Not held up.
    ///
    /// # Panics
    ///
    /// There is no such runtime to be had.
    #[must_use]
    pub fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build();
        Self {
            runtime: runtime.expect("a runtime"),
            held: None,
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

    /// Holds up all that is to be done aside from now on.
    pub fn hold(&mut self) {
        let (held, is_over) = mpsc::channel::<()>();
        // Ends when the sender is dropped.
        self.runtime.spawn_blocking(move || is_over.recv().is_err());
        self.held = Some(held);
    }

    /// Lets it go on, and waits until all of it is done.
    ///
    /// # Panics
    ///
    /// The thread is gone.
    pub fn go_on(&mut self) {
        self.held = None;
        let last = self.runtime.spawn_blocking(|| ());
        self.block_on(last).expect("a thread that goes on");
    }

    /// Ends the runtime, whatever is yet to be done; a handle of it is left.
    #[allow(clippy::must_use_candidate)] // it is ended all the same
    pub fn end(self) -> Handle {
        let handle = self.runtime.handle().clone();
        self.runtime.shutdown_background();
        drop(self.held);
        handle
    }
}

impl Default for Aside {
    fn default() -> Self {
        Self::new()
    }
}
