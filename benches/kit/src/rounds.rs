//! Rounds in which every case has its turn.

use crate::{Case, Comparison, allocations, case::Against, report::Compared, report::Row};
use std::time::{Duration, Instant};

/// How many rounds there are, and how long a turn is.
///
/// Machines are noisy, so that the cases run in turns: each round measures every case once, and a comparison is made
/// within each round. Of all rounds the quietest quarter counts, and of that the median: a virtual machine whose
/// core is shared with others is slow for seconds at a time, by more than what is to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// How many.
    pub count: usize,
    /// How long one case runs in one round.
    pub turn: Duration,
}

impl Rounds {
    /// What a figure takes that is worth writing down.
    pub const FULL: Self = Self {
        count: 240,
        turn: Duration::from_millis(5),
    };

    /// To see that everything runs.
    pub const QUICK: Self = Self {
        count: 4,
        turn: Duration::from_millis(5),
    };

    /// Measures every case.
    #[must_use]
    pub fn measure(self, cases: &mut [Case]) -> Vec<Row> {
        let iterations: Vec<u32> = cases.iter_mut().map(|case| self.calibrate(case)).collect();
        let mut samples = vec![Vec::with_capacity(self.count); cases.len()];
        for round in 1..=self.count {
            eprint!("\rround {round} of {}", self.count);
            for ((case, iterations), samples) in cases.iter_mut().zip(&iterations).zip(&mut samples)
            {
                samples.push(time(case, *iterations).as_nanos() as f64 / f64::from(*iterations));
            }
        }
        eprintln!();
        let samples = quietest_quarter(&samples);
        let allocations: Vec<f64> = cases.iter_mut().map(count).collect();
        let measured = Measured {
            names: cases.iter().map(|case| case.name).collect(),
            samples,
            allocations,
        };
        let rows = cases.iter().enumerate();
        rows.map(|(index, case)| Row {
            name: case.name.to_owned(),
            ns: median(measured.samples[index].clone()),
            allocations: measured.allocations[index],
            against: case
                .against
                .as_ref()
                .map(|against| measured.compare(index, against)),
        })
        .collect()
    }

    fn calibrate(self, case: &mut Case) -> u32 {
        // The first time is unlike the others: something is made then that is used again.
        time(case, 1);
        let mut iterations = 1;
        loop {
            let elapsed = time(case, iterations);
            if elapsed >= self.turn / 4 {
                let scale = self.turn.as_secs_f64() / elapsed.as_secs_f64();
                return (f64::from(iterations) * scale).max(1.0) as u32;
            }
            iterations *= 4;
        }
    }
}

/// By the index of the case.
struct Measured {
    names: Vec<&'static str>,
    samples: Vec<Vec<f64>>,
    allocations: Vec<f64>,
}

impl Measured {
    fn compare(&self, index: usize, against: &Against) -> Compared {
        let others: Vec<usize> = against
            .rows
            .iter()
            .map(|row| {
                let found = self.names.iter().position(|name| name == row);
                found.unwrap_or_else(|| panic!("no row has the name {row}"))
            })
            .collect();
        let compared = self.samples[index].iter().enumerate().map(|(round, own)| {
            let other: f64 = others.iter().map(|other| self.samples[*other][round]).sum();
            match against.comparison {
                Comparison::Times => own / other,
                Comparison::More => own - other,
            }
        });
        let theirs: f64 = others.iter().map(|other| self.allocations[*other]).sum();
        Compared {
            rows: against.rows.iter().map(|&row| row.to_owned()).collect(),
            comparison: against.comparison,
            value: median(compared.collect()),
            allocations: self.allocations[index] - theirs,
            budget: against.budget,
            allocations_budget: against.allocations,
        }
    }
}

/// The samples of the rounds in which the cases together took least of their usual time.
fn quietest_quarter(samples: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let rounds = samples.first().map_or(0, Vec::len);
    let usual: Vec<f64> = samples.iter().cloned().map(median).collect();
    let unrest = |round: &usize| -> f64 {
        let cases = samples.iter().zip(&usual);
        cases.map(|(samples, usual)| samples[*round] / usual).sum()
    };
    let mut order: Vec<usize> = (0..rounds).collect();
    order.sort_by(|one, other| unrest(one).total_cmp(&unrest(other)));
    order.truncate(rounds.div_ceil(4));
    let of_case = |samples: &Vec<f64>| order.iter().map(|round| samples[*round]).collect();
    samples.iter().map(of_case).collect()
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn time(case: &mut Case, iterations: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..iterations {
        (case.run)();
    }
    start.elapsed()
}

fn count(case: &mut Case) -> f64 {
    const ITERATIONS: u32 = 200;
    let allocations = allocations::during(|| {
        for _ in 0..ITERATIONS {
            (case.run)();
        }
    });
    allocations as f64 / f64::from(ITERATIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cases: &mut [Case]) -> Vec<Row> {
        let rounds = Rounds {
            count: 3,
            turn: Duration::from_micros(200),
        };
        rounds.measure(cases)
    }

    fn spin(times: u32) -> impl FnMut() {
        move || {
            for number in 0..times * 1000 {
                std::hint::black_box(number);
            }
        }
    }

    #[test]
    fn a_row_is_compared_with_the_sum_of_others() {
        let mut cases = [
            Case::new("one", spin(1)),
            Case::new("two", spin(2)),
            Case::new("nine", spin(9)).times(&["one", "two"]),
            Case::new("ten", spin(10)).more_than(&["one"]),
        ];
        let rows = rows(&mut cases);
        let value = |index: usize| rows[index].against.as_ref().expect("compared").value;
        assert!((2.0..4.5).contains(&value(2)), "{}", value(2));
        assert!(value(3) > 5.0 * rows[0].ns, "{} {}", value(3), rows[0].ns);
    }

    #[test]
    fn rounds_in_which_the_machine_is_slow_do_not_count() {
        let samples = [
            vec![10.0, 20.0, 30.0, 11.0, 12.0],
            vec![1.0, 2.0, 3.0, 1.0, 5.0],
        ];
        let quiet = quietest_quarter(&samples);
        assert_eq!(quiet, [[10.0, 11.0], [1.0, 1.0]]);
        assert!(quietest_quarter(&[]).is_empty());
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
    }
}
