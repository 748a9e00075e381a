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
            for turn in 0..cases.len() {
                // Forwards and backwards in turn, so that no case always comes after the same one, and finds the
                // processor as that leaves it.
                let place = match round % 2 {
                    0 => cases.len() - 1 - turn,
                    _ => turn,
                };
                let taken = time(&mut cases[place], iterations[place]);
                samples[place].push(taken.as_nanos() as f64 / f64::from(iterations[place]));
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

/// The samples of the rounds in which most cases took least of their usual time.
fn quietest_quarter(samples: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let rounds = samples.first().map_or(0, Vec::len);
    let usual: Vec<f64> = samples.iter().cloned().map(median).collect();
    let unrest = |round: &usize| -> f64 {
        let cases = samples.iter().zip(&usual);
        // The median, so that no case that is unsteady by itself chooses.
        median(
            cases
                .map(|(samples, usual)| samples[*round] / usual)
                .collect(),
        )
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
    use std::{cell::Cell, rc::Rc};

    #[test]
    fn a_row_is_compared_with_the_sum_of_others_round_by_round() {
        let measured = Measured {
            names: vec!["one", "two", "nine"],
            samples: vec![
                vec![1.0, 10.0, 1.0],
                vec![2.0, 20.0, 3.0],
                vec![9.0, 60.0, 12.0],
            ],
            allocations: vec![1.0, 2.0, 7.0],
        };
        let compared = |comparison| {
            let against = Against {
                rows: &["one", "two"],
                comparison,
                budget: Some(4.0),
                allocations: None,
            };
            measured.compare(2, &against)
        };
        let times = compared(Comparison::Times);
        assert_eq!((times.value, times.allocations), (3.0, 4.0));
        assert_eq!(times.within(), Some(true));
        assert_eq!(compared(Comparison::More).value, 8.0);
    }

    #[test]
    fn every_case_is_measured_in_every_round() {
        let calls = Rc::new(Cell::new(0));
        let case = |name| {
            let calls = Rc::clone(&calls);
            Case::new(name, move || calls.set(calls.get() + 1))
        };
        let rounds = Rounds {
            count: 3,
            turn: Duration::from_micros(50),
        };
        let rows = rounds.measure(&mut [case("one"), case("two").times(&["one"])]);
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().all(|row| row.ns > 0.0));
        assert_eq!(rows[1].name, "two");
        assert!(
            rows[1]
                .against
                .as_ref()
                .is_some_and(|against| against.value > 0.0)
        );
        assert!(calls.get() > 2 * (3 + 200));
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
