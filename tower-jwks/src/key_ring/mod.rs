//! The handle that signs and publishes.

mod fixed;
#[cfg(feature = "rotation")]
mod policy;
#[cfg(feature = "rotation")]
mod rule;
#[cfg(feature = "rotation")]
mod schedule;
#[cfg(all(test, feature = "rotation"))]
mod simulator;
#[cfg(feature = "rotation")]
mod state;
#[cfg(feature = "rotation")]
mod view;

pub use self::fixed::{KeyRing, KeyRingBuilder};
#[cfg(feature = "rotation")]
pub use self::{
    policy::{RotationPolicy, RotationPolicyBuilder},
    state::KeyState,
};
