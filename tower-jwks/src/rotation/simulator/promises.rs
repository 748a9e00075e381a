//! What is promised, and how it was broken.

use super::scenario::Tick;

/// The first thing that went wrong in a run.
#[derive(Clone, Debug)]
pub(super) struct Break {
    pub(super) at: Tick,
    pub(super) broken: Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// A token verifies at every verifier that has a set, until it expires or its key is revoked.
    EveryTokenVerifies,
    /// A revoked key is accepted nowhere once the last answer with it is too old, and who has heard of the
    /// revocation neither signs with it nor publishes it.
    RevokedIsRefused,
    /// The epoch goes up by one with each write, and never down for one that looks.
    OneEpoch,
    /// What is decided about a key is decided once: its creation, its dates, its end.
    DecidedOnce,
    /// What signs is published, and has not come to its end.
    SignerIsPublished,
    /// Where no key was revoked and none comes to an end, who may sign always has a key to sign with.
    SignsWithoutPause,
    /// When nothing goes wrong any more, the ring signs, has a reserve, and goes on rotating.
    RecoversInTime,
    /// No ring gets larger than its bound, and no promise shorter.
    StaysInBounds,
}
