//! Our keys: what signs, and what is published.

mod fixed;
mod ring;

#[cfg(feature = "rotation")]
pub(crate) use self::fixed::Fixed;
pub use self::{fixed::KeyRingBuilder, ring::KeyRing};
