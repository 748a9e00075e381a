//! What needs no gateway is run, a little of it.

#![allow(clippy::unwrap_used, reason = "a test that fails should panic")]

use serde_json::Value;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bench-sockets");

/// The rows of a quick run, by name.
fn rows(arguments: &[&str]) -> Vec<(String, Value)> {
    let mut command = Command::new(PROGRAM);
    let output = command
        .args(arguments)
        .args(["--quick", "--json"])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = report["rows"].as_array().unwrap().iter();
    rows.map(|row| (row["name"].as_str().unwrap().to_owned(), row.clone()))
        .collect()
}

fn row<'a>(rows: &'a [(String, Value)], name: &str) -> &'a Value {
    let found = rows.iter().find(|(known, _)| known == name);
    &found.unwrap_or_else(|| panic!("no {name} in {rows:?}")).1
}

#[test]
fn the_storm_in_process_has_latencies_of_known_and_of_new_tokens() {
    let rows = rows(&["storm", "--in-process"]);
    let idle = row(&rows, "in-process-idle");
    assert_eq!(idle["p99_over_idle"], 1.0);
    assert_eq!(idle["new_p50_us"], Value::Null, "nothing new comes");
    for name in ["in-process-storm-500", "in-process-storm-2000"] {
        let storm = row(&rows, name);
        let figure = |field: &str| storm[field].as_f64().unwrap();
        assert!(figure("p50_us") <= figure("p99_us"), "{storm}");
        assert!(figure("p99_us") <= figure("p999_us"), "{storm}");
        // A signature costs more than everything else.
        assert!(figure("new_p50_us") > 100.0, "{storm}");
    }
}

#[test]
fn growth_has_figures_for_threads_tokens_issuers_and_sizes() {
    let rows = rows(&["growth"]);
    assert!(row(&rows, "threads-minted")["ratio"].as_f64().unwrap() > 0.0);
    let size = |name: &str| row(&rows, name)["token_bytes"].as_f64().unwrap();
    assert!((16_000.0..=16_384.0).contains(&size("size-16kb")));
    assert!((950.0..=1_300.0).contains(&size("size-1kb")));
    for name in ["issuers-1", "issuers-10", "issuers-1000"] {
        assert!(row(&rows, name)["cold_validate_ns"].as_f64().unwrap() > 1_000.0);
    }
    for name in [
        "tokens-12000-minted-all-held",
        "tokens-12000-validated-all-held",
    ] {
        let all = row(&rows, name);
        assert!(all["token_hit_percent"].as_f64().unwrap() > 99.0, "{all}");
        assert!(all["bytes_per_token"].as_f64().unwrap() > 1_000.0, "{all}");
        assert!(all["again_ns"].as_f64() < all["first_ns"].as_f64(), "{all}");
    }
    let some = row(&rows, "tokens-12000-minted-default-caches");
    assert!(some["jwt_hit_percent"].as_f64().unwrap() < 99.0, "{some}");
}

#[test]
fn a_gateway_that_is_not_there_is_missed() {
    for mode in ["gateway", "storm"] {
        let mut command = Command::new(PROGRAM);
        let output = command
            .args([mode, "--gateway", "no/such/program"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains("no/such/program"), "{errors}");
        assert!(output.stdout.is_empty());
    }
}
