//! What becomes of the layers as threads, tokens and issuers grow.

mod issuers;
mod sizes;
mod threads;
mod timing;
mod tokens;

use crate::{Fault, args::Options, machine::Pinning, report::Report};

pub(crate) fn measure(options: &Options) -> Result<Report, Fault> {
    let pinning = Pinning::detect();
    let mut report = Report::default();
    threads::measure(options, pinning, &mut report)?;
    // From here on one thread measures, on a core of its own.
    pinning.this_thread(1)?;
    sizes::measure(options, &mut report)?;
    issuers::measure(options, &mut report)?;
    tokens::measure(options, pinning, &mut report)?;
    report.note(pinning.note());
    Ok(report)
}
