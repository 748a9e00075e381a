//! Our keys: what signs, what is published, and how they change.

#[cfg(all(test, feature = "rotation"))]
mod attacks;
#[cfg(feature = "rotation")]
mod audience;
#[cfg(feature = "rotation")]
mod changes;
#[cfg(feature = "rotation")]
mod document;
#[cfg(feature = "rotation")]
mod events;
#[cfg(feature = "rotation")]
mod fault;
#[cfg(feature = "rotation")]
mod files;
mod fixed;
#[cfg(feature = "rotation")]
mod followed;
#[cfg(feature = "rotation")]
mod human;
#[cfg(feature = "rotation")]
mod new_key;
#[cfg(feature = "rotation")]
mod open;
#[cfg(feature = "rotation")]
mod policy;
#[cfg(feature = "rotation")]
mod reading;
mod ring;
#[cfg(feature = "rotation")]
mod rotating;
#[cfg(feature = "rotation")]
mod rule;
#[cfg(feature = "rotation")]
mod schedule;
#[cfg(all(test, feature = "rotation"))]
mod simulator;
#[cfg(feature = "rotation")]
mod snapshot;
#[cfg(feature = "rotation")]
mod source;
#[cfg(feature = "rotation")]
mod state;
#[cfg(feature = "rotation")]
mod status;
#[cfg(feature = "rotation")]
mod task;
#[cfg(feature = "rotation")]
mod view;

#[cfg(feature = "rotation")]
pub(crate) use self::audience::Audience;
pub use self::{fixed::KeyRingBuilder, ring::KeyRing};
#[cfg(feature = "rotation")]
pub use self::{
    open::OpenKeyRing,
    policy::{RotationPolicy, RotationPolicyBuilder},
    state::KeyState,
    status::{KeyRingStatus, NextState, RevokedKey, RingKeyStatus},
};
