//! Samples, and the rows that they become.

use crate::{
    machine::undisturbed,
    report::{Report, Row},
    statistics::median,
};

/// What one measurement of one round gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// CPU time of the server alone, for each request.
    pub(super) cpu_us: f64,
    /// More than a plain request in the same process.
    pub(super) over_plain_us: f64,
    pub(super) requests_per_s: f64,
    /// Of its core. Where it is far from 100 the server had to wait for the load.
    pub(super) busy_percent: f64,
    /// What other processes took meanwhile.
    pub(super) others_cores: f64,
}

#[derive(Debug, Default)]
pub(super) struct Samples {
    /// In the order in which they were measured first.
    rows: Vec<(String, Vec<Sample>)>,
    memory: Vec<Row>,
    /// Signing and verifying.
    bare_us: Vec<(f64, f64)>,
}

impl Samples {
    pub(super) fn bare(&mut self, sign_and_verify_us: (f64, f64)) {
        self.bare_us.push(sign_and_verify_us);
    }

    pub(super) fn push(&mut self, name: String, sample: Sample) {
        match self.rows.iter_mut().find(|(known, _)| *known == name) {
            Some((_, samples)) => samples.push(sample),
            None => self.rows.push((name, vec![sample])),
        }
    }

    pub(super) fn memory(&mut self, name: &str, before: f64, after: f64) {
        const MEGABYTE: f64 = 1e6;
        self.memory.push(
            Row::new(format!("memory-{name}"))
                .with("before_mb", before / MEGABYTE)
                .with("after_mb", after / MEGABYTE)
                .with("most_after_mb", 100.0),
        );
    }
}

pub(super) fn report(samples: &Samples) -> Report {
    let mut report = Report::default();
    // Rows with targets first, so that they share a heading.
    for (name, samples) in &samples.rows {
        let row = row(name, samples);
        report.push(match name.as_str() {
            "plain" => row.with("most_cpu_us", 20.0),
            "forged" | "forged-quiet" => row.with("most_cpu_us", 30.0),
            "warm" | "warm-validate" => row.with("most_over_plain_us", 1.5),
            "cold-validate" => row.with("most_over_plain_us", 17.0),
            _ => row,
        });
    }
    let bare = |name, part: fn(&(f64, f64)) -> f64| {
        Row::new(name).with("cpu_us", median(samples.bare_us.iter().map(part)))
    };
    report.push(bare("raw-verify-rs256", |(_, verify)| *verify));
    report.push(bare("raw-sign-rs256", |(sign, _)| *sign));
    for row in &samples.memory {
        report.push(row.clone());
    }
    report
}

fn row(name: &str, samples: &[Sample]) -> Row {
    // Who shares the cores spoils the figures.
    let counted = undisturbed(samples, |sample| sample.others_cores);
    let of = |figure: fn(&Sample) -> f64| median(counted.iter().map(figure));
    Row::new(name)
        .with("cpu_us", of(|sample| sample.cpu_us))
        .with("over_plain_us", of(|sample| sample.over_plain_us))
        .with("requests_per_s", of(|sample| sample.requests_per_s))
        .with("busy_percent", of(|sample| sample.busy_percent))
        .with("others_cores", of(|sample| sample.others_cores))
        .with("rounds", counted.len() as f64)
}
