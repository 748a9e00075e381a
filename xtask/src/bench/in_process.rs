//! A request through the layers, in one process.

use serde_json::Value;

use super::plot::{Bar, Chart, Scale, Whose};
use super::results::{Results, number, rows, text};
use super::{Options, peers};
use crate::command::Shell;
use crate::metadata::Metadata;

pub(super) fn measure(metadata: &Metadata, options: Options) -> Result<Results, String> {
    let json = Shell::cargo(&metadata.root())
        .args(["run", "--release", "--package", "benches", "--", "--json"])
        .args(options.quick.then_some("--quick"))
        .read()?;
    let mut measured = rows(&json)?;
    if options.peers {
        measured.extend(peers::measure(metadata, options));
    }
    let charts = charts(&measured);
    Ok(Results::new(measured, charts))
}

fn charts(rows: &[Value]) -> Vec<Chart> {
    let mut charts = vec![Chart {
        title: "A request in one process".to_owned(),
        unit: "ns".to_owned(),
        scale: Scale::Logarithmic,
        bars: rows.iter().map(|row| bar(rows, row)).collect(),
    }];
    for (ours, floor, title) in BESIDE_PEERS {
        charts.extend(beside_peers(rows, ours, floor, title));
    }
    charts
}

/// Rows of ours that peers have one like, what both are held against, and what it is about.
const BESIDE_PEERS: [(&str, &str, &str); 2] = [
    (
        "cold-validate-rs256",
        "raw-verify-rs256",
        "A token not seen before, RS256: times the bare verification",
    ),
    (
        "cold-validate-and-mint-rs256",
        "raw-verify-rs256 + raw-sign-rs256",
        "The same, and a backend JWT, RS256: times the bare verification and signature",
    ),
];

/// Across processes only ratios can be compared.
fn beside_peers(rows: &[Value], ours: &str, floor: &str, title: &str) -> Option<Chart> {
    let bars: Vec<Bar> = rows
        .iter()
        .filter(|row| text(row, "against") == floor)
        .filter(|row| is_peer(row) || text(row, "name") == ours)
        .filter_map(|row| {
            Some(Bar {
                label: text(row, "name").to_owned(),
                value: number(row, "ratio")?,
                whose: whose(row),
                budget: number(row, "budget"),
            })
        })
        .collect();
    (bars.len() > 1).then(|| Chart {
        title: title.to_owned(),
        unit: "×".to_owned(),
        scale: Scale::Linear,
        bars,
    })
}

fn bar(rows: &[Value], row: &Value) -> Bar {
    Bar {
        label: text(row, "name").to_owned(),
        value: number(row, "ns").unwrap_or(0.0),
        whose: whose(row),
        budget: budget_ns(rows, row),
    }
}

/// What the row may take, by what those take that it is held against.
fn budget_ns(rows: &[Value], row: &Value) -> Option<f64> {
    let budget = number(row, "budget")?;
    let floor: f64 = text(row, "against")
        .split(" + ")
        .filter_map(|name| rows.iter().find(|row| text(row, "name") == name))
        .filter_map(|row| number(row, "ns"))
        .sum();
    Some(match number(row, "ratio") {
        Some(_) => floor * budget,
        None => floor + budget,
    })
}

fn is_peer(row: &Value) -> bool {
    text(row, "name").starts_with("peer-")
}

fn whose(row: &Value) -> Whose {
    let name = text(row, "name");
    let floor = name == "bare" || name.starts_with("raw-") || name.ends_with("-static");
    match (is_peer(row), floor) {
        (true, _) => Whose::Peer,
        (false, true) => Whose::Floor,
        (false, false) => Whose::Ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_budget_stands_where_the_floor_and_it_come_to() {
        let measured = [
            json!({"name": "bare", "ns": 400.0}),
            json!({"name": "raw", "ns": 1000.0}),
            json!({"name": "warm", "ns": 700.0, "against": "bare", "more_ns": 300.0, "budget": 350.0}),
            json!({"name": "both", "ns": 1500.0, "against": "bare + raw", "ratio": 1.07, "budget": 1.5}),
        ];
        let budgets: Vec<_> = measured
            .iter()
            .map(|row| budget_ns(&measured, row))
            .collect();
        assert_eq!(budgets, [None, None, Some(750.0), Some(2100.0)]);
    }

    #[test]
    fn peers_are_compared_by_their_ratios() {
        let measured = [
            json!({"name": "cold-validate-rs256", "ns": 15.0, "against": "raw-verify-rs256", "ratio": 1.1, "budget": 1.15}),
            json!({"name": "forged", "ns": 15.0, "against": "raw-verify-rs256", "ratio": 1.1}),
            json!({"name": "peer-other", "ns": 20.0, "against": "raw-verify-rs256", "ratio": 1.6}),
        ];
        let charts = charts(&measured);
        let bars = &charts[1].bars;
        assert_eq!(bars.len(), 2);
        assert_eq!((bars[0].whose, bars[1].whose), (Whose::Ours, Whose::Peer));
        assert_eq!(bars[1].value, 1.6);
    }
}
