//! What the layers cost, in one process.
//!
//! ```text
//! cargo run --release -p benches
//! ```

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: bench_kit::Counting = bench_kit::Counting;

const ABOUT: &str = "\
What the layers cost, in one process: nanoseconds and allocations, beside the bare router and the bare
cryptography. The rows have turns in each round; figures are medians over the quietest quarter of the rounds. Only the
comparisons travel from machine to machine.";

fn main() -> ExitCode {
    bench_kit::run(ABOUT, benches::cases::all)
}
