//! How long requests with known tokens take while new tokens come, each of which costs an RSA signature.
//!
//! Requests have their times before anything is sent, and are late from then on: whatever delays the one who sends
//! them, an answer above all, is in the figures and leaves no request out.

mod in_process;
mod phase;
mod rows;
mod schedule;
mod sockets;

pub(crate) use self::{in_process::measure as in_process, sockets::measure as over_sockets};
