//! What the benchmarks have in common: rounds in which every case has its turn, an allocator that counts, the tokens,
//! and the bare cryptography that everything is held against.
//!
//! It knows none of the crates that are measured, so that the peers' processes measure as ours does.

mod allocations;
mod case;
mod exchange;
mod provider;
mod raw;
mod report;
mod rounds;
mod run;

pub use allocations::Counting;
pub use case::{Against, Case, Comparison};
pub use exchange::{Requests, call, through, to_the_route};
pub use provider::{AUDIENCE, ISSUER, Provider, claims, now};
pub use raw::{raw_sign, raw_verify};
pub use report::{Compared, Row};
pub use rounds::Rounds;
pub use run::run;
