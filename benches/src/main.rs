//! What the layers cost, as ratios to the bare cryptography and the bare router, in one process.
//!
//! ```text
//! cargo run --release -p benches
//! ```
//!
//! Machines are noisy, so that the rows run in turns: each round measures every row once, and a
//! row's figure is the median over the rounds. Only the ratios travel from machine to machine.

mod allocations;
mod cases;
mod fetched;
mod measure;
mod rotating;

use cases::Case;

const ROUNDS: usize = 15;

fn main() {
    let cases = cases::all();
    let rows = measure::in_turns(&cases, ROUNDS);
    let ns = |name: &str| {
        let row = rows.iter().find(|row| row.name == name);
        row.map_or(f64::NAN, |row| row.ns)
    };
    println!("{:<24} {:>12} {:>12}  against", "", "ns", "allocations");
    for (row, case) in rows.iter().zip(&cases) {
        let ratio = match case.against {
            Some(floor) if floor == "bare" => format!("{floor} + {:.0} ns", row.ns - ns(floor)),
            Some(floor) => format!("{floor} × {:.3}", row.ns / ns(floor)),
            None => String::new(),
        };
        println!(
            "{:<24} {:>12.0} {:>12.1}  {ratio}",
            row.name, row.ns, row.allocations
        );
    }
}
