//! Rounds become rows.

use super::phase::{Phase, Seen};
use crate::{
    report::{Report, Row},
    statistics::{median, percentile},
};

/// The first phase is the one without a storm.
pub(super) fn report(prefix: &str, phases: &[Phase], rounds: &[Vec<Seen>]) -> Report {
    let mut report = Report::default();
    for (index, phase) in phases.iter().enumerate() {
        let of = |figure: &dyn Fn(&Seen) -> f64| {
            median(
                rounds
                    .iter()
                    .filter_map(|round| round.get(index))
                    .map(figure),
            )
        };
        let ratios = rounds.iter().filter_map(|round| {
            let idle = round.first()?;
            Some(round.get(index)?.p99() / idle.p99())
        });
        let row = Row::new(format!("{prefix}{}", phase.name()))
            .with("p50_us", of(&|seen| percentile(&seen.warm_us, 0.5)))
            .with("p99_us", of(&Seen::p99))
            .with("p999_us", of(&|seen| percentile(&seen.warm_us, 0.999)))
            .with("late_p99_us", of(&|seen| percentile(&seen.late_us, 0.99)))
            .with("new_p50_us", of(&|seen| percentile(&seen.new_us, 0.5)))
            .with("new_p99_us", of(&|seen| percentile(&seen.new_us, 0.99)))
            .with("gateway_cores", of(&|seen| seen.gateway_cores))
            .with("generator_cores", of(&|seen| seen.generator_cores))
            .with("others_cores", of(&|seen| seen.others_cores))
            .with("p99_over_idle", median(ratios));
        report.push(match phase.storm {
            500 => row.with("most_p99_over_idle", 2.0),
            _ => row,
        });
    }
    report
}
