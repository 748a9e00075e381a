use std::env;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::metadata::Metadata;
use crate::step::{Outcome, Step};

/// What every step may ask.
pub(crate) struct Context {
    pub(crate) metadata: Metadata,
    /// With `CI=true`, what cannot be checked has failed.
    pub(crate) ci: bool,
}

impl Context {
    pub(crate) fn new() -> Result<Self, String> {
        let ci = env::var("CI").is_ok_and(|value| value == "true");
        Ok(Self {
            metadata: Metadata::read()?,
            ci,
        })
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.metadata.root()
    }
}

/// Runs the steps up to the first that fails, and ends with the summary.
pub(crate) fn run(steps: &[&Step], context: &Context) -> ExitCode {
    let start = Instant::now();
    let mut lines = Vec::new();
    let (mut passed, mut skipped, mut failure) = (0, 0, None);
    for (index, step) in steps.iter().enumerate() {
        println!(
            "\n=== {}/{} {}: {}",
            index + 1,
            steps.len(),
            step.name,
            step.about
        );
        let step_start = Instant::now();
        let result = (step.run)(context);
        let time = seconds(step_start.elapsed());
        let (word, note) = match result {
            Ok(Outcome::Passed(note)) => {
                passed += 1;
                ("passed", note)
            }
            Ok(Outcome::Skipped(note)) if !context.ci => {
                skipped += 1;
                ("SKIPPED", note)
            }
            Ok(Outcome::Skipped(error)) | Err(error) => {
                failure = Some((step.name, error));
                ("FAILED", String::new())
            }
        };
        println!("=== {} {word} in {time}", step.name);
        lines.push(format!("{:<14} {word:<8} {time:>8}  {note}", step.name));
        if failure.is_some() {
            break;
        }
    }
    if let Some((name, error)) = &failure {
        eprintln!("\nerror: step `{name}` failed: {error}");
        eprintln!("to repeat it alone: cargo xtask test {name}");
    }
    println!("\n=== summary, {} in all", seconds(start.elapsed()));
    for line in &lines {
        println!("{}", line.trim_end());
    }
    let failed = usize::from(failure.is_some());
    let mut total = format!("{passed} passed, {failed} failed");
    if skipped > 0 {
        total.push_str(&format!(", {skipped} skipped"));
    }
    if lines.len() < steps.len() {
        total.push_str(&format!(", {} not run", steps.len() - lines.len()));
    }
    println!("{total}");
    if failure.is_some() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}
