//! What is counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// As many failures are told of as can be read.
const MOST_TOLD: u64 = 20;

#[derive(Debug, Default)]
pub(crate) struct Tally {
    verifications: AtomicU64,
    failures: AtomicU64,
}

impl Tally {
    pub(crate) fn verified(&self) {
        self.verifications.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn failed(&self, text: impl std::fmt::Display) {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
        if before < MOST_TOLD {
            eprintln!("rotation: FAILED: {text}");
        } else if before == MOST_TOLD {
            eprintln!("rotation: FAILED: further failures are only counted");
        }
    }

    /// The failure that ends it.
    pub(crate) fn ended(&self, text: impl std::fmt::Display) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        eprintln!("rotation: FAILED: {text}");
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// The line that says it all.
    pub(crate) fn line(&self, rotations: usize) -> String {
        format!(
            "rotation: {}, {}, {}",
            counted(rotations as u64, "rotation"),
            counted(self.verifications.load(Ordering::Relaxed), "verification"),
            counted(self.failures(), "failure"),
        )
    }
}

fn counted(number: u64, noun: &str) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let plural = if number == 1 { "" } else { "s" };
    format!("{text} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn numbers_can_be_read() {
        for (number, text) in [
            (0, "0 failures"),
            (1, "1 failure"),
            (999, "999 failures"),
            (1_000, "1,000 failures"),
            (1_048_210, "1,048,210 failures"),
        ] {
            assert_eq!(counted(number, "failure"), text);
        }
    }
}
