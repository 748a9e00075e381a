//! A backend JWT that is being signed, and the requests that wait for it.

use crate::refusal::{Refusal, RefusalReason};
use http::HeaderValue;
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll, ready},
};
use tokio::sync::oneshot;
use tower_jwks::SigningKey;

type Outcome = Result<HeaderValue, Refusal>;

/// A signature that is being made: once, for however many requests want it.
pub(super) struct Flight {
    /// The key that signed when it began.
    key: Weak<SigningKey>,
    passengers: Mutex<Passengers>,
}

enum Passengers {
    Waiting(Vec<oneshot::Sender<Outcome>>),
    Landed(Outcome),
}

impl Flight {
    pub(super) fn new(key: &Arc<SigningKey>) -> Arc<Self> {
        Arc::new(Self {
            key: Arc::downgrade(key),
            passengers: Mutex::new(Passengers::Waiting(Vec::new())),
        })
    }

    pub(super) fn is_of(&self, key: &Arc<SigningKey>) -> bool {
        self.key.as_ptr() == Arc::as_ptr(key)
    }

    /// The outcome, to be waited for.
    pub(super) fn outcome(&self) -> Awaited {
        let (sender, receiver) = oneshot::channel();
        match &mut *self.passengers() {
            Passengers::Waiting(waiting) => {
                if waiting.len() == waiting.capacity() {
                    waiting.retain(|passenger| !passenger.is_closed());
                }
                waiting.push(sender);
            }
            // It is there already: a receiver takes it.
            Passengers::Landed(outcome) => drop(sender.send(outcome.clone())),
        }
        Awaited(receiver)
    }

    /// Tells all who wait.
    pub(super) fn end(&self, outcome: &Outcome) {
        let landed = Passengers::Landed(outcome.clone());
        let passengers = std::mem::replace(&mut *self.passengers(), landed);
        if let Passengers::Waiting(waiting) = passengers {
            for passenger in waiting {
                // Who has hung up need not be told.
                let _ = passenger.send(outcome.clone());
            }
        }
    }

    /// Whether all who waited have hung up.
    pub(super) fn is_abandoned(&self) -> bool {
        match &*self.passengers() {
            Passengers::Waiting(waiting) => waiting.iter().all(oneshot::Sender::is_closed),
            Passengers::Landed(_) => false,
        }
    }

    fn passengers(&self) -> std::sync::MutexGuard<'_, Passengers> {
        self.passengers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcome of a signature that is being made.
pub(crate) struct Awaited(oneshot::Receiver<Outcome>);

impl Future for Awaited {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let outcome = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(outcome.unwrap_or_else(|_| Err(lost())))
    }
}

/// Whoever signed has panicked: a clock of the user's own has, or a subscriber to events.
pub(super) fn lost() -> Refusal {
    Refusal::new(RefusalReason::KeysUnavailable).with_detail("the signature was not finished")
}
