//! Rounds become rows.

use super::phase::{Phase, Seen};
use crate::{
    machine::undisturbed,
    report::{Report, Row},
    statistics::{median, percentile},
};

/// The first phase is the one without a storm.
pub(super) fn report(prefix: &str, phases: &[Phase], rounds: &[Vec<Seen>]) -> Report {
    let mut report = Report::default();
    for (index, phase) in phases.iter().enumerate() {
        let seen: Vec<_> = rounds.iter().filter_map(|round| round.get(index)).collect();
        let counted = undisturbed(&seen, |seen| seen.others_cores);
        let of = |figure: &dyn Fn(&Seen) -> f64| median(counted.iter().map(|seen| figure(seen)));
        // However seldom, and in whichever round.
        let refused: usize = seen.iter().map(|seen| seen.refused).sum();
        let row = Row::new(format!("{prefix}{}", phase.name()))
            .with("p50_us", of(&|seen| percentile(&seen.warm_us, 0.5)))
            .with("p99_us", of(&Seen::p99))
            .with("p999_us", of(&|seen| percentile(&seen.warm_us, 0.999)))
            .with("late_p99_us", of(&|seen| percentile(&seen.late_us, 0.99)))
            .with("new_p50_us", of(&|seen| percentile(&seen.new_us, 0.5)))
            .with("new_p99_us", of(&|seen| percentile(&seen.new_us, 0.99)))
            .with("refused", refused as f64)
            .with("gateway_cores", of(&|seen| seen.gateway_cores))
            .with("generator_cores", of(&|seen| seen.generator_cores))
            .with("others_cores", of(&|seen| seen.others_cores))
            .with("rounds", counted.len() as f64)
            .with("p99_over_idle", over_idle(rounds, index));
        let row = row.with("most_refused", 0.0);
        report.push(match phase.storm {
            500 => row.with("most_p99_over_idle", 2.0),
            _ => row,
        });
    }
    report
}

/// Against the idle phase of the same round.
fn over_idle(rounds: &[Vec<Seen>], index: usize) -> f64 {
    let pairs = rounds
        .iter()
        .filter_map(|round| Some((round.first()?, round.get(index)?)));
    let others = |(idle, seen): &(&Seen, &Seen)| idle.others_cores.max(seen.others_cores);
    let pairs: Vec<_> = pairs.collect();
    let counted = undisturbed(&pairs, others);
    median(counted.iter().map(|(idle, seen)| seen.p99() / idle.p99()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(us: f64, others_cores: f64) -> Seen {
        Seen {
            warm_us: vec![us],
            others_cores,
            ..Seen::default()
        }
    }

    #[test]
    fn rounds_that_were_disturbed_do_not_count_where_there_are_others() {
        let quiet = vec![seen(100.0, 0.0), seen(150.0, 0.01)];
        let disturbed = vec![seen(100.0, 0.0), seen(900.0, 0.5)];
        for (rounds, ratio) in [
            (vec![quiet.clone(), disturbed.clone()], 1.5),
            (vec![disturbed], 9.0),
        ] {
            assert!((over_idle(&rounds, 1) - ratio).abs() < 1e-9);
        }
    }
}
