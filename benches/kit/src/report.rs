//! What was measured, for people and for programs.

use crate::Comparison;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What was measured of one case.
#[derive(Clone, Debug)]
pub struct Row {
    /// The case's name.
    pub name: String,
    /// Nanoseconds each time, the median over the rounds that count.
    pub ns: f64,
    /// Allocations each time, of Rust code.
    pub allocations: f64,
    /// The comparison with others, if there is one.
    pub against: Option<Compared>,
}

/// How a row compares with others.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The rows, whose figures are added up.
    pub rows: Vec<String>,
    /// What [`value`](Self::value) is.
    pub comparison: Comparison,
    /// A ratio, or nanoseconds; the median over the rounds that count.
    pub value: f64,
    /// How many more allocations there are.
    pub allocations: f64,
    /// The most that the value may be.
    pub budget: Option<f64>,
    /// The most that there may be more allocations.
    pub allocations_budget: Option<f64>,
}

impl Compared {
    /// Whether it keeps to its budgets; `None` if it has none.
    #[must_use]
    pub fn within(&self) -> Option<bool> {
        let time = self.budget.map(|budget| self.value <= budget);
        // Counts are exact but for what happens once in many times, such as a map that grows.
        let count = self
            .allocations_budget
            .map(|budget| self.allocations <= budget + 0.1);
        match (time, count) {
            (None, None) => None,
            (time, count) => Some(time.unwrap_or(true) && count.unwrap_or(true)),
        }
    }
}

impl Row {
    fn json(&self) -> Value {
        let mut row = json!({
            "name": self.name,
            "ns": rounded(self.ns),
            "allocations": rounded(self.allocations),
        });
        if let Some(against) = &self.against {
            let value = match against.comparison {
                Comparison::Times => "ratio",
                Comparison::More => "more_ns",
            };
            let mut compared = json!({ "against": against.rows.join(" + "), "more_allocations": rounded(against.allocations) });
            compared[value] = json!(rounded(against.value));
            for (name, value) in [
                ("budget", against.budget),
                ("budget_allocations", against.allocations_budget),
            ] {
                if let Some(value) = value {
                    compared[name] = json!(value);
                }
            }
            if let Some(within) = against.within() {
                compared["within_budget"] = json!(within);
            }
            merge(&mut row, compared);
        }
        row
    }

    fn cells(&self) -> [String; 7] {
        let mut cells = [
            self.name.clone(),
            grouped(self.ns),
            plain(self.allocations),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ];
        if let Some(against) = &self.against {
            let show = |value: f64| match against.comparison {
                Comparison::Times => format!("× {value:.3}"),
                Comparison::More => format!("+ {value:.0} ns"),
            };
            cells[3] = against.rows.join(" + ");
            cells[4] = format!("{}, + {}", show(against.value), plain(against.allocations));
            let budgets = [
                against.budget.map(|budget| format!("≤ {}", show(budget))),
                against
                    .allocations_budget
                    .map(|budget| format!("≤ + {}", plain(budget))),
            ];
            cells[5] = budgets.into_iter().flatten().collect::<Vec<_>>().join(", ");
            cells[6] = match against.within() {
                Some(true) => "ok".to_owned(),
                Some(false) => "over".to_owned(),
                None => String::new(),
            };
        }
        cells
    }
}

fn merge(row: &mut Value, more: Value) {
    if let (Value::Object(row), Value::Object(more)) = (row, more) {
        row.extend(more);
    }
}

/// `{"rows": [{"name", "ns", "allocations", …}]}`.
pub(crate) fn json(rows: &[Row]) -> String {
    let rows: Vec<Value> = rows.iter().map(Row::json).collect();
    json!({ "rows": rows }).to_string()
}

const HEAD: [&str; 7] = [
    "row",
    "ns",
    "allocations",
    "against",
    "comparison, allocations",
    "budget",
    "",
];

/// A table in columns.
pub(crate) fn table(rows: &[Row]) -> String {
    let cells: Vec<[String; 7]> = rows.iter().map(Row::cells).collect();
    let width = |column: usize| {
        let cells = cells.iter().map(|row| row[column].chars().count());
        cells.chain([HEAD[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
    let mut table = String::new();
    for row in std::iter::once(HEAD.map(str::to_owned)).chain(cells) {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let written = match column {
                1 | 2 => write!(line, "{cell:>width$}  "),
                _ => write!(line, "{cell:<width$}  "),
            };
            written.expect("a string takes all that is written");
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// As many digits as mean something.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn plain(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// `12345.6` as `12,346`.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: f64, allocations: f64) -> Row {
        Row {
            name: "warm".to_owned(),
            ns: 1234.5678,
            allocations: 21.0,
            against: Some(Compared {
                rows: vec!["bare".to_owned()],
                comparison: Comparison::More,
                value,
                allocations,
                budget: Some(350.0),
                allocations_budget: Some(6.0),
            }),
        }
    }

    #[test]
    fn a_row_is_over_when_either_budget_is() {
        for (value, allocations, cell) in [
            (350.0, 6.0, "ok"),
            (351.0, 6.0, "over"),
            (350.0, 7.0, "over"),
        ] {
            assert_eq!(row(value, allocations).cells()[6], cell);
        }
    }

    #[test]
    fn the_json_has_what_a_program_asks_for() {
        let value: Value = serde_json::from_str(&json(&[row(300.0, 5.0)])).unwrap();
        let row = &value["rows"][0];
        assert_eq!(row["name"], "warm");
        assert_eq!(row["ns"], 1234.568);
        assert_eq!(row["allocations"], 21.0);
        assert_eq!(row["more_ns"], 300.0);
        assert_eq!(row["within_budget"], true);
    }

    #[test]
    fn thousands_are_grouped() {
        for (value, text) in [(7.4, "7"), (999.6, "1,000"), (1234567.0, "1,234,567")] {
            assert_eq!(grouped(value), text);
        }
    }
}
