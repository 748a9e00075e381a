//! What is measured over sockets, by the program `bench-sockets`.

use serde_json::Value;

use super::Options;
use super::plot::{Bar, Chart, Scale, Whose};
use super::results::{Results, notes, number, rows, text};
use crate::command::Shell;
use crate::metadata::Metadata;

/// The figures that are drawn, of those that a row has: the first of these.
const DRAWN: [(&str, &str); 8] = [
    ("cpu_us", "CPU time of a request, µs"),
    (
        "p99_us",
        "99 % of the warm requests take no longer than, µs",
    ),
    ("after_mb", "Resident memory, MB"),
    ("ratio", "Two threads, times what one serves"),
    ("requests_per_s", "Requests a second"),
    ("again_ns", "A token that comes again, ns"),
    ("warm_ns", "A warm request, ns"),
    ("full_ns", "An insert, ns"),
];

pub(super) fn measure(
    metadata: &Metadata,
    mode: &str,
    options: Options,
) -> Result<Results, String> {
    let root = metadata.root();
    Shell::cargo(&root)
        .args(["build", "--release", "--package", "gateway"])
        .args(["--package", "bench-sockets"])
        .read()?;
    let name = format!("bench-sockets{}", std::env::consts::EXE_SUFFIX);
    let program = metadata.target_directory().join("release").join(name);
    let run = |in_process: Option<&str>| {
        Shell::new(&program, &root)
            .args([mode, "--json"])
            .args(in_process)
            .args(options.quick.then_some("--quick"))
            .read()
    };
    let json = run(None)?;
    let (mut measured, notes) = (rows(&json)?, notes(&json));
    // The same without sockets, which shows the layers' own part.
    if mode == "storm" {
        measured.extend(rows(&run(Some("--in-process"))?)?);
    }
    let charts = charts(&measured);
    Ok(Results::new(measured, charts).with_notes(notes))
}

fn charts(rows: &[Value]) -> Vec<Chart> {
    let charts = DRAWN.iter().enumerate().map(|(place, (figure, title))| {
        let earlier = &DRAWN[..place];
        let rows = rows.iter().filter(|row| {
            let drawn_already = earlier.iter().any(|(name, _)| number(row, name).is_some());
            number(row, figure).is_some() && !drawn_already
        });
        Chart {
            title: (*title).to_owned(),
            unit: String::new(),
            scale: Scale::Linear,
            bars: rows.map(|row| bar(row, figure)).collect(),
        }
    });
    charts
        .filter(|chart| !chart.bars.is_empty())
        .map(readable)
        .collect()
}

/// A linear scale, unless the smallest bar could not be seen on it.
fn readable(mut chart: Chart) -> Chart {
    let values = || chart.bars.iter().map(|bar| bar.value);
    let (least, most) = (
        values().fold(f64::MAX, f64::min),
        values().fold(0.0, f64::max),
    );
    if most > 100.0 * least {
        chart.scale = Scale::Logarithmic;
    }
    chart
}

fn bar(row: &Value, figure: &str) -> Bar {
    let name = text(row, "name");
    Bar {
        label: name.to_owned(),
        value: number(row, figure).unwrap_or(0.0),
        whose: if name.contains("proxy") || name.contains("nginx") {
            Whose::Peer
        } else {
            Whose::Ours
        },
        budget: budget(row, figure),
    }
}

/// Where the row's target stands on the scale of the figure, whichever figure it is a target of.
fn budget(row: &Value, figure: &str) -> Option<f64> {
    let value = number(row, figure)?;
    let of = |name: &str| {
        let most = number(row, &format!("most_{name}"));
        most.or_else(|| number(row, &format!("least_{name}")))
    };
    of(figure)
        .or_else(|| Some(value - number(row, "over_plain_us")? + of("over_plain_us")?))
        .or_else(|| Some(value / number(row, "p99_over_idle")? * of("p99_over_idle")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_target_stands_on_the_scale_of_what_is_drawn() {
        for (row, expected) in [
            (json!({"cpu_us": 18.0, "most_cpu_us": 20.0}), Some(20.0)),
            (
                json!({"cpu_us": 21.0, "over_plain_us": 3.0, "most_over_plain_us": 1.5}),
                Some(19.5),
            ),
            (json!({"cpu_us": 21.0}), None),
        ] {
            assert_eq!(budget(&row, "cpu_us"), expected, "{row}");
        }
    }

    #[test]
    fn each_row_is_drawn_once() {
        let rows = [
            json!({"name": "plain", "cpu_us": 18.0, "requests_per_s": 50000.0}),
            json!({"name": "threads-1", "requests_per_s": 600000.0}),
            json!({"name": "memory", "before_mb": 9.0, "after_mb": 60.0}),
        ];
        let charts = charts(&rows);
        let bars: Vec<_> = charts.iter().map(|chart| chart.bars.len()).collect();
        assert_eq!(bars, [1, 1, 1]);
    }
}
