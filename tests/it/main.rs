//! The tests of both crates, in one binary.

// Clippy takes only `#[test]` functions for tests, not what they call.
#![allow(clippy::unwrap_used)]

mod apk_conf;
mod attacks;
mod contract;
mod extractors;
mod frameworks;
mod interop;
mod jwks;
mod keys;
mod lookup;
mod minting;
mod mutations;
mod refusals;
mod remembered;
mod remote;
mod revocations;
mod ring;
mod secrets;
mod vectors;
mod wso2;
