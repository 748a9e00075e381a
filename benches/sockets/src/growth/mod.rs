//! What becomes of the layers as threads, tokens and issuers grow.

mod issuers;
mod rounds;
mod sizes;
mod threads;
mod timing;
mod tokens;

use crate::{
    Fault,
    args::{Options, Part},
    machine::Pinning,
    report::Report,
};

pub(crate) fn measure(options: &Options) -> Result<Report, Fault> {
    let pinning = Pinning::detect();
    let mut report = Report::default();
    if options.has(Part::Threads) {
        threads::measure(options, pinning, &mut report)?;
    }
    // From here on one thread measures, on a core of its own.
    pinning.this_thread(1)?;
    if options.has(Part::Sizes) {
        sizes::measure(options, &mut report)?;
    }
    if options.has(Part::Issuers) {
        issuers::measure(options, &mut report)?;
    }
    if options.has(Part::Tokens) {
        tokens::measure(options, pinning, &mut report)?;
    }
    report.note(pinning.note());
    report.note("rounds in which other processes used the machine do not count");
    Ok(report)
}
