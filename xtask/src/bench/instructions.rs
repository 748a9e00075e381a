//! The instructions of the steady paths, counted by gungraun with valgrind.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Options;
use super::plot::{Bar, Chart, Scale, Whose};
use super::results::{Results, text};
use crate::command::Shell;
use crate::metadata::Metadata;

const CRATE: &str = "benches/instructions";
/// A limit is so many hundredths above what was counted when it was set.
const ROOM: u64 = 3;

pub(super) fn measure(metadata: &Metadata, options: Options) -> Result<Results, String> {
    let root = metadata.root();
    if !Shell::new("valgrind", &root).args(["--version"]).succeeds() {
        return Err("valgrind is not installed; Debian has it under that name".to_owned());
    }
    let runner = runner(metadata)?;
    let target = metadata.target_directory().join("instructions");
    let (output, well) = Shell::cargo(&root)
        .env("GUNGRAUN_RUNNER", &runner.display().to_string())
        .args(["bench", "--bench", "steady"])
        .args(["--manifest-path", &format!("{CRATE}/Cargo.toml")])
        .args([OsStr::new("--target-dir"), target.as_os_str()])
        .args(["--", "--output-format=json"])
        .output()?;
    let counts = counts(&output)?;
    let path = root.join(CRATE).join("benches/limits.rs");
    let fault = |error| format!("{}: {error}", path.display());
    let mut limits = fs::read_to_string(&path).map_err(fault)?;
    if options.renew {
        limits = renewed(&limits, &counts)?;
        fs::write(&path, &limits).map_err(fault)?;
        eprintln!("wrote {}", path.display());
    }
    let rows: Vec<Value> = counts
        .iter()
        .map(|(name, count)| row(name, *count, limit(&limits, name)))
        .collect();
    let over = |row: &&Value| row["within_budget"] != Value::Bool(true);
    let over: Vec<&str> = rows
        .iter()
        .filter(over)
        .map(|row| text(row, "name"))
        .collect();
    let failure = match (over.is_empty(), well || options.renew) {
        (true, true) => None,
        (true, false) => Some("gungraun ended with an error".to_owned()),
        (false, _) => Some(format!(
            "more instructions than the limit allows: {}; where there is a reason, --renew sets the limits anew",
            over.join(", ")
        )),
    };
    let charts = vec![chart(&rows)];
    Ok(Results::new(rows, charts).failed(failure))
}

/// The program that runs the benchmarks, of the version that they were built with.
fn runner(metadata: &Metadata) -> Result<PathBuf, String> {
    let root = metadata.root();
    let manifest = root.join(CRATE).join("Cargo.toml");
    let manifest = fs::read_to_string(&manifest)
        .map_err(|error| format!("{}: {error}", manifest.display()))?;
    let version = version(&manifest).ok_or("the manifest names no version of gungraun")?;
    let tools = metadata.target_directory().join("tools");
    let name = format!("gungraun-runner{}", std::env::consts::EXE_SUFFIX);
    let runner = tools.join("bin").join(name);
    if !has_version(&runner, version, &root) {
        eprintln!("installing gungraun-runner {version}, once");
        Shell::cargo(&root)
            .args(["install", "--locked", "--force"])
            .args([OsStr::new("--root"), tools.as_os_str()])
            .args([format!("gungraun-runner@{version}")])
            .read()?;
    }
    Ok(runner)
}

fn has_version(runner: &Path, version: &str, root: &Path) -> bool {
    let answer = Shell::new(runner, root).args(["--version"]).read();
    answer.is_ok_and(|answer| answer.split_whitespace().last() == Some(version))
}

/// `gungraun = "=0.20.0"`.
fn version(manifest: &str) -> Option<&str> {
    let mut lines = manifest.lines();
    lines.find_map(|line| line.strip_prefix("gungraun = \"=")?.strip_suffix('"'))
}

/// Name and instructions of each benchmark, of which gungraun writes a line.
fn counts(output: &str) -> Result<Vec<(String, u64)>, String> {
    let mut counts = Vec::new();
    for line in output.lines().filter(|line| line.starts_with('{')) {
        let value: Value = serde_json::from_str(line)
            .map_err(|error| format!("what gungraun writes is not JSON: {error}"))?;
        let id = text(&value, "id").to_owned();
        let count = &value["profiles"][0]["data"]["total"]["metrics"]["Ir"]["values"]["new"];
        let count = count.as_u64().ok_or_else(|| format!("{id} has no count"))?;
        counts.push((id, count));
    }
    if counts.is_empty() {
        return Err("gungraun has counted nothing".to_owned());
    }
    Ok(counts)
}

fn row(name: &str, count: u64, limit: Option<u64>) -> Value {
    json!({
        "name": name.replace('_', "-"),
        "instructions": count,
        "limit": limit,
        "within_budget": limit.is_some_and(|limit| count <= limit),
    })
}

/// How the file begins the line of a limit.
fn declaration(name: &str) -> String {
    format!("pub(crate) const {}: u64 = ", name.to_uppercase())
}

fn limit(limits: &str, name: &str) -> Option<u64> {
    let declaration = declaration(name);
    let mut lines = limits.lines();
    let value = lines.find_map(|line| line.strip_prefix(&declaration)?.strip_suffix(';'))?;
    value.replace('_', "").parse().ok()
}

/// The file with limits for what was counted.
fn renewed(limits: &str, counts: &[(String, u64)]) -> Result<String, String> {
    let mut lines: Vec<String> = limits.lines().map(str::to_owned).collect();
    for (name, count) in counts {
        let declaration = declaration(name);
        let line = lines.iter_mut().find(|line| line.starts_with(&declaration));
        let line = line.ok_or_else(|| format!("there is no limit for {name}"))?;
        let limit = (count * (100 + ROOM)).div_ceil(100);
        *line = format!("{declaration}{};", separated(limit));
    }
    Ok(lines.join("\n") + "\n")
}

/// `12345` as `12_345`, as rustfmt and clippy want it.
fn separated(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

fn chart(rows: &[Value]) -> Chart {
    let bars = rows.iter().map(|row| Bar {
        label: text(row, "name").to_owned(),
        value: row["instructions"].as_f64().unwrap_or(0.0),
        whose: match text(row, "name") {
            "bare" => Whose::Floor,
            _ => Whose::Ours,
        },
        budget: row["limit"].as_f64(),
    });
    Chart {
        title: "Instructions of a request".to_owned(),
        unit: String::new(),
        scale: Scale::Logarithmic,
        bars: bars.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: &str =
        "//! Limits.\n\npub(crate) const JWKS: u64 = 4_000;\npub(crate) const JWKS_304: u64 = 1;\n";

    #[test]
    fn limits_are_renewed_with_room_and_read_again() {
        let counts = [("jwks".to_owned(), 10_000), ("jwks_304".to_owned(), 101)];
        let limits = renewed(LIMITS, &counts).unwrap();
        assert!(limits.starts_with("//! Limits.\n\n") && limits.contains("10_300;"));
        assert_eq!(limit(&limits, "jwks"), Some(10_300));
        assert_eq!(limit(&limits, "jwks_304"), Some(105));
        assert!(renewed(LIMITS, &[("warm".to_owned(), 1)]).is_err());
    }

    #[test]
    fn a_count_without_a_limit_or_over_it_is_not_within() {
        for (limit, within) in [(Some(10), true), (Some(9), false), (None, false)] {
            assert_eq!(row("a", 10, limit)["within_budget"], within);
        }
    }

    #[test]
    fn counts_are_read_from_what_gungraun_writes() {
        let line = r#"{"id":"jwks","profiles":[{"data":{"total":{"metrics":{"Ir":{"values":{"new":4416,"old":4416}}}}}}]}"#;
        let output = format!("running 0 tests\n{line}\n");
        assert_eq!(counts(&output).unwrap(), [("jwks".to_owned(), 4416)]);
        assert!(counts("running 0 tests").is_err());
    }

    #[test]
    fn the_version_is_that_of_the_manifest() {
        assert_eq!(
            version("[dev-dependencies]\ngungraun = \"=0.20.0\"\n"),
            Some("0.20.0")
        );
    }
}
