//! Threads that stand for clients on other machines.

use super::this_thread;
use std::process::{Command, Stdio};

/// Lets the thread that calls run as soon as it is woken, whatever else uses the cores: clients and services behind
/// have cores of their own elsewhere, and how long they wait for one here is not to be measured. False if that is
/// not allowed, or util-linux's `chrt` is not there.
pub(crate) fn prefer_this_thread() -> bool {
    let Ok(thread) = this_thread() else {
        return false;
    };
    Command::new("chrt")
        .args(["-f", "-p", "1", &thread])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
