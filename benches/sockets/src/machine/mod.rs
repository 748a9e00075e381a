//! What the system gives: cores, processes, and what they have used.

mod pinning;
mod priority;
mod process;
mod sleep;
mod usage;
mod watch;

pub(crate) use self::{
    pinning::Pinning,
    priority::prefer_this_thread,
    process::Process,
    sleep::precise_sleep,
    usage::{CpuTime, this_threads_cpu, threads_cpu},
    watch::{MOST_OTHERS_CORES, Watch, undisturbed},
};

use crate::Fault;
use std::{ffi::OsStr, fs};

/// The system's number of the thread that calls.
fn this_thread() -> Result<String, Fault> {
    let link = fs::read_link("/proc/thread-self")?;
    let id = link.file_name().and_then(OsStr::to_str);
    Ok(id.ok_or("a thread without an id")?.to_owned())
}
