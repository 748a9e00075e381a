//! The task that reads the store and does what is due, for as long as somebody has the ring.

use super::{events, fault::Attempt, rotating::Rotating, source::Answer, state::KeyState};
use crate::{KeysUnavailable, crypto};
use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    pin::pin,
    sync::Weak,
    task::Poll,
    time::Duration,
};
use tokio::time::timeout;

/// Goes on though a store of somebody's panics: without the task nothing would be signed for long.
pub(super) async fn run(ring: Weak<Rotating>) {
    while let Err(ended) = tokio::spawn(look(Weak::clone(&ring))).await {
        if !ended.is_panic() {
            return;
        }
        let wait = {
            let Some(ring) = ring.upgrade() else { return };
            let panicked = Err(KeysUnavailable::new("the reading of the store panicked"));
            ring.came_of_it(Attempt::Read, &panicked);
            jittered(ring.policy.poll)
        };
        tokio::time::sleep(wait).await;
    }
}

async fn look(ring: Weak<Rotating>) {
    let mut told = Told::default();
    let mut is_read = true;
    loop {
        // A ring that nobody has any more is let go of when the wait is over, a poll at most.
        let Some(ring) = ring.upgrade() else { return };
        // Before the store is read, so that no change falls between.
        let watched = ring.source.watch();
        if !is_read {
            // What comes of it is kept with the ring, and told of.
            let _ = ring.refresh().await;
        }
        is_read = false;
        told.tell(&ring);
        ring.rest(watched).await;
    }
}

impl Rotating {
    /// Until the store is to be read again, or something has happened.
    async fn rest(&self, mut watched: Answer<'_, ()>) {
        let mut changed = pin!(self.changed.notified());
        let either = poll_fn(|cx| match changed.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Duration::ZERO),
            // A store that is noisy is read once a second.
            Poll::Pending => watched.as_mut().poll(cx).map(|()| Duration::from_secs(1)),
        });
        if let Ok(rest) = timeout(self.pause(), either).await {
            tokio::time::sleep(rest).await;
        }
    }

    /// How long to leave the store alone: until the next look at it, or until something is due.
    fn pause(&self) -> Duration {
        let now = self.now();
        let current = self.current.load();
        let due = current.state().next_date(now, &self.policy);
        let due = due.map_or(Duration::MAX, |at| at.saturating_since(now));
        jittered(self.policy.poll).min(due.max(Duration::from_secs(1)))
    }
}

/// Up to a tenth less, so that replicas that were started together do not stay so.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without random bytes it is what it is.
    let _ = crypto::random(&mut byte);
    pause.mul_f64(1.0 - 0.1 * f64::from(byte[0]) / 255.0)
}

/// What was said of the keys, so that it is said when it changes.
#[derive(Default)]
struct Told {
    states: HashMap<Box<str>, KeyState>,
    idle: bool,
}

impl Told {
    /// Tells what time has changed: which key signs, and whether one does.
    fn tell(&mut self, ring: &Rotating) {
        let now = ring.now();
        let current = ring.current.load();
        let state = current.state();
        let states = state.keys.iter().enumerate();
        let states: HashMap<Box<str>, KeyState> = states
            .map(|(place, key)| (key.kid.clone(), state.key_state(place, now)))
            .collect();
        for (kid, state) in &states {
            if self.states.get(kid).is_some_and(|before| before != state) {
                events::turned(kid, *state);
            }
        }
        self.states = states;
        let idle = current.signer(&ring.policy, now).err();
        if let Some(idle) = idle
            && !self.idle
        {
            events::stopped(idle, ring.fault().as_ref().map(|fault| &fault.error));
        }
        if idle.is_none() && self.idle {
            events::resumed();
        }
        self.idle = idle.is_some();
    }
}
