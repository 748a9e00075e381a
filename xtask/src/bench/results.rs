//! What was measured, and its files.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use super::Options;
use super::plot::{self, Chart};
use crate::metadata::Metadata;

/// Rows with a name and figures, and how they are drawn.
pub(super) struct Results {
    rows: Vec<Value>,
    charts: Vec<Chart>,
    /// How the figures were made.
    notes: Vec<String>,
    /// What is wrong with them, if they are not only figures.
    failure: Option<String>,
}

/// The rows of `{"rows": […]}`.
pub(super) fn rows(json: &str) -> Result<Vec<Value>, String> {
    let value: Value = serde_json::from_str(json)
        .map_err(|error| format!("what was measured is not JSON: {error}"))?;
    match value["rows"].as_array() {
        Some(rows) if !rows.is_empty() => Ok(rows.clone()),
        _ => Err("nothing was measured".to_owned()),
    }
}

/// What is said of how they were made.
pub(super) fn notes(json: &str) -> Vec<String> {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    let notes = value["notes"].as_array().into_iter().flatten();
    notes.filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn number(row: &Value, name: &str) -> Option<f64> {
    row[name].as_f64()
}

pub(super) fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row[name].as_str().unwrap_or_default()
}

impl Results {
    pub(super) fn new(rows: Vec<Value>, charts: Vec<Chart>) -> Self {
        Self {
            rows,
            charts,
            notes: Vec::new(),
            failure: None,
        }
    }

    pub(super) fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes = notes;
        self
    }

    /// They are written all the same.
    pub(super) fn failed(mut self, failure: Option<String>) -> Self {
        self.failure = failure;
        self
    }

    pub(super) fn write(
        self,
        metadata: &Metadata,
        name: &str,
        options: Options,
    ) -> Result<(), String> {
        let directory = metadata.target_directory().join("bench");
        let fault = |error| format!("{}: {error}", directory.display());
        fs::create_dir_all(&directory).map_err(fault)?;
        let mut table = table(&self.rows);
        let mut json = json!({ "rows": self.rows });
        if !self.notes.is_empty() {
            table = format!("{table}\n\n{}", self.notes.join("; "));
            json["notes"] = json!(self.notes);
        }
        let json = json.to_string();
        for (end, text) in [
            ("json", json.clone()),
            ("md", table.clone()),
            ("svg", plot::svg(&self.charts)),
        ] {
            let path = directory.join(format!("{name}.{end}"));
            fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
            eprintln!("wrote {}", path.display());
        }
        match options.json {
            true => println!("{json}"),
            false => println!("{table}"),
        }
        for over in over(&self.rows) {
            eprintln!("over its budget: {over}");
        }
        self.failure.map_or(Ok(()), Err)
    }
}

/// In Markdown. Rows that follow each other and have the same figures share a table.
fn table(rows: &[Value]) -> String {
    let mut text = String::new();
    for rows in rows.chunk_by(alike) {
        let columns = columns(rows);
        let head: Vec<String> = columns.iter().map(|name| name.replace('_', " ")).collect();
        let rule = columns.iter().map(|name| match name.as_str() {
            "name" | "against" => "---",
            _ => "---:",
        });
        line(&mut text, head);
        line(&mut text, rule.map(str::to_owned));
        for row in rows {
            line(&mut text, columns.iter().map(|name| cell(&row[name])));
        }
        text.push('\n');
    }
    text.trim_end().to_owned()
}

fn line(text: &mut String, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().collect();
    writeln!(text, "| {} |", cells.join(" | ")).expect("a string takes all that is written");
}

/// Whether they belong in one table: their first figure is the same.
fn alike(one: &Value, next: &Value) -> bool {
    let first = |row: &Value| columns(std::slice::from_ref(row)).into_iter().nth(1);
    first(one) == first(next)
}

/// The figures that any of the rows has; the name first, and what they are to be last.
fn columns(rows: &[Value]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        for name in row.keys() {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
    }
    columns.sort_by_key(|name| {
        let first = ["name", "ns", "instructions"];
        let last = ["most_", "least_", "budget", "limit", "within_"];
        let place = first.iter().position(|known| name == known);
        let after = last.iter().position(|start| name.starts_with(start));
        (
            place.unwrap_or(first.len()),
            after.map_or(0, |place| place + 1),
        )
    });
    columns
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(true) => "ok".to_owned(),
        Value::Bool(false) => "**over**".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => plot::figure(number.as_f64().unwrap_or(f64::NAN)),
        other => other.to_string(),
    }
}

/// The names of the rows that say of themselves that they are over their budget, or are over a target of theirs.
fn over(rows: &[Value]) -> Vec<&str> {
    let is_over = |row: &&Value| {
        let targets = row.as_object().into_iter().flatten();
        let missed = |(name, target): (&String, &Value)| {
            let (kind, figure) = name.split_once('_').unwrap_or_default();
            match (kind, target.as_f64(), number(row, figure)) {
                ("most", Some(target), Some(value)) => value > target,
                ("least", Some(target), Some(value)) => value < target,
                _ => false,
            }
        };
        row["within_budget"] == Value::Bool(false) || targets.into_iter().any(missed)
    };
    let over = rows.iter().filter(is_over);
    over.map(|row| text(row, "name")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_the_same_figures_share_a_table() {
        let rows = [
            json!({"name": "plain", "cpu_us": 18.25, "most_cpu_us": 20}),
            json!({"name": "warm", "cpu_us": 19.0}),
            json!({"name": "memory", "after_mb": 60.5}),
        ];
        let expected = "\
| name | cpu us | most cpu us |
| --- | ---: | ---: |
| plain | 18.25 | 20 |
| warm | 19 |  |

| name | after mb |
| --- | ---: |
| memory | 60.5 |";
        assert_eq!(table(&rows), expected);
    }

    #[test]
    fn what_is_over_a_budget_or_a_target_is_named() {
        let rows = [
            json!({"name": "a", "within_budget": false}),
            json!({"name": "b", "within_budget": true}),
            json!({"name": "c", "cpu_us": 21.0, "most_cpu_us": 20.0}),
            json!({"name": "d", "ratio": 1.95, "least_ratio": 1.9}),
        ];
        assert_eq!(over(&rows), ["a", "c"]);
    }

    #[test]
    fn no_rows_are_no_results() {
        assert!(rows("{}").is_err());
        assert!(rows(r#"{"rows": []}"#).is_err());
        assert!(rows("round 1").is_err());
    }
}
