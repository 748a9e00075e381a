//! What was measured, for people and for programs.

use serde_json::{Map, Value, json};
use std::fmt::Write;

/// One thing that was measured.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    fields: Vec<(&'static str, f64)>,
}

/// All that one run has measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Row {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            fields: Vec::new(),
        }
    }

    /// A figure, whose unit is at the end of its name.
    pub(crate) fn with(mut self, field: &'static str, value: f64) -> Self {
        self.fields.push((field, value));
        self
    }

    /// The figures, without the targets that some of them have.
    fn figures(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let all = self.fields.iter().copied();
        all.filter(|(field, _)| target_of(field).is_none())
    }

    /// The targets, and whether they are met.
    fn verdict(&self) -> String {
        let mut verdict = String::new();
        for (field, target) in &self.fields {
            let Some((kind, name)) = target_of(field) else {
                continue;
            };
            let value = self.figures().find(|(figure, _)| *figure == name);
            let value = value.map_or(f64::NAN, |(_, value)| value);
            // What is not a number is not met.
            let (sign, met) = match kind {
                Kind::Most => ("<=", value <= *target),
                Kind::Least => (">=", value >= *target),
            };
            let met = if met { "ok" } else { "MISSED" };
            let _ = write!(verdict, "  {met}: {name} {sign} {target}");
        }
        verdict
    }
}

/// What a target says of a figure.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Most,
    Least,
}

/// The figure that this field is the target of.
fn target_of(field: &str) -> Option<(Kind, &str)> {
    match field.split_once('_')? {
        ("most", name) => Some((Kind::Most, name)),
        ("least", name) => Some((Kind::Least, name)),
        _ => None,
    }
}

impl Report {
    pub(crate) fn push(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// How the figures were made, as far as that differs from machine to machine.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn json(&self) -> String {
        let rows: Vec<_> = self.rows.iter().map(row).collect();
        json!({ "rows": rows, "notes": self.notes }).to_string()
    }

    /// Rows with the same figures, one after the other, share a heading.
    pub(crate) fn table(&self) -> String {
        let mut table = String::new();
        for rows in self
            .rows
            .chunk_by(|one, next| headings(one) == headings(next))
        {
            let _ = writeln!(table, "{}\n", text(rows));
        }
        for note in &self.notes {
            let _ = writeln!(table, "{note}");
        }
        table
    }
}

fn headings(row: &Row) -> Vec<&'static str> {
    row.figures().map(|(name, _)| name).collect()
}

fn row(row: &Row) -> Value {
    let mut object = Map::new();
    object.insert("name".to_owned(), json!(row.name));
    for (field, value) in &row.fields {
        // More digits would be noise.
        let rounded = (value * 1000.0).round() / 1000.0;
        object.insert((*field).to_owned(), json!(rounded));
    }
    Value::Object(object)
}

fn text(rows: &[Row]) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    let names = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let mut text = format!("{:names$}", "");
    for heading in headings(first) {
        let _ = write!(text, "  {heading:>9}");
    }
    for row in rows {
        let _ = write!(text, "\n{:names$}", row.name);
        for (heading, value) in row.figures() {
            let _ = write!(
                text,
                "  {:>width$}",
                number(value),
                width = heading.len().max(9)
            );
        }
        text.push_str(&row.verdict());
    }
    text
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "-".to_owned()
    } else if value.abs() >= 1000.0 {
        format!("{value:.0}")
    } else if value.abs() >= 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_held_against_its_targets() {
        for (value, verdict) in [
            (1.0, "  ok: cpu_us <= 2"),
            (3.0, "  MISSED: cpu_us <= 2"),
            (f64::NAN, "  MISSED: cpu_us <= 2"),
        ] {
            let row = Row::new("a").with("cpu_us", value).with("most_cpu_us", 2.0);
            assert_eq!(row.verdict(), verdict, "{value}");
        }
        let row = Row::new("a").with("ratio", 1.8).with("least_ratio", 1.9);
        assert_eq!(row.verdict(), "  MISSED: ratio >= 1.9");
        assert_eq!(Row::new("a").with("cpu_us", 1.0).verdict(), "");
    }

    #[test]
    fn figures_are_fields_of_their_row() {
        let mut report = Report::default();
        report.push(Row::new("plain").with("cpu_us", 20.123_456));
        report.push(Row::new("none").with("cpu_us", f64::NAN));
        let json: Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(
            json["rows"],
            json!([{"name": "plain", "cpu_us": 20.123}, {"name": "none", "cpu_us": null}])
        );
        assert!(
            report.table().contains("plain      20.12"),
            "{}",
            report.table()
        );
    }
}
