//! How the keys of a ring rotate: the schedule, the document in its store, and the task that goes by them.

#[cfg(test)]
mod attacks;
mod audience;
mod changes;
mod document;
mod events;
mod fault;
mod files;
mod followed;
mod human;
mod new_key;
mod open;
mod policy;
mod reading;
mod rotating;
mod rule;
mod schedule;
#[cfg(test)]
mod simulator;
mod snapshot;
mod source;
mod state;
mod status;
mod task;
mod view;

pub(crate) use self::{audience::Audience, rotating::Rotating};
pub use self::{
    open::OpenKeyRing,
    policy::{RotationPolicy, RotationPolicyBuilder},
    state::KeyState,
    status::{KeyRingStatus, NextState, RevokedKey, RingKeyStatus},
};
