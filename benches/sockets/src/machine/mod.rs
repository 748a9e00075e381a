//! What the system gives: cores, processes, and what they have used.

mod pinning;
mod process;
mod usage;

pub(crate) use self::{
    pinning::{Pinning, precise_sleep},
    process::Process,
    usage::{CpuTime, own_cpu, threads_cpu},
};
