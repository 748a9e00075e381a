//! Rounds in which the machine does nothing else.

use crate::{
    Fault,
    args::Options,
    machine::{MOST_OTHERS_CORES, Watch, undisturbed},
};

/// What the rounds gave.
#[derive(Debug)]
pub(super) struct Rounds<T> {
    pub(super) samples: Vec<T>,
    /// In how many of them the machine did nothing else. With none, `samples` are the others.
    pub(super) quiet: usize,
}

/// What each round gives, this often or as often as `--rounds` says. A round in which others used the machine is made
/// up for by another one, within limits.
pub(super) fn quiet<T: Clone>(
    name: &str,
    options: &Options,
    mut round: impl FnMut() -> Result<T, Fault>,
) -> Result<Rounds<T>, Fault> {
    let wanted = options.rounds(7);
    let mut all = Vec::new();
    let mut quiet = 0;
    while quiet < wanted && all.len() < 4 * wanted {
        eprint!("\r{name}: round {} of {wanted}               ", quiet + 1);
        let watch = Watch::start()?;
        let sample = round()?;
        let others = watch.shares(None)?.others_cores;
        all.push((sample, others));
        quiet += usize::from(others <= MOST_OTHERS_CORES);
    }
    if quiet == 0 {
        eprintln!("\r{name}: the machine was busy with other things in every round");
    }
    let counted = undisturbed(&all, |(_, others)| *others);
    Ok(Rounds {
        samples: counted.into_iter().map(|(sample, _)| sample).collect(),
        quiet,
    })
}
