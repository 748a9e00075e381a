//! What the layers cost, as ratios to the bare cryptography and the bare router, in one process.
//!
//! The program measures time; `benches/instructions` counts the instructions of the same stacks.

mod background;
pub mod cases;
mod fetched;
mod jwks;
mod rotating;
mod stacks;

pub use jwks::{StaticKeys, jwks_request};
pub use stacks::{Reuse, minting, router, served, validating, verifier};
