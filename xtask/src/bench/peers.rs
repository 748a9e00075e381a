//! Other crates, each built and run by itself.

use std::ffi::OsStr;

use serde_json::Value;

use super::Options;
use super::results::{rows, text};
use crate::command::Shell;
use crate::metadata::Metadata;

/// Program and features. What two builds of one program differ in is the cryptography.
const PROGRAMS: [(&str, &str); 7] = [
    ("tower-oauth2", "tower-oauth2,rust-crypto"),
    ("tower-oauth2", "tower-oauth2,aws-lc-rs"),
    ("jwt-authorizer", "jwt-authorizer"),
    ("axum-jwt-auth", "axum-jwt-auth,rust-crypto"),
    ("axum-jwt-auth", "axum-jwt-auth,aws-lc-rs"),
    ("oauth-resource-server", "oauth-resource-server"),
    ("by-hand", "by-hand"),
];

/// Their rows, with the ratios that were made in their own processes. One that cannot be built or run is told, and left
/// out.
pub(super) fn measure(metadata: &Metadata, options: Options) -> Vec<Value> {
    let mut measured = Vec::new();
    for (program, features) in PROGRAMS {
        eprintln!("peer {program} ({features})");
        match run(metadata, program, features, options) {
            Ok(rows) => measured.extend(rows),
            Err(error) => eprintln!("warning: without {program} ({features}): {error}"),
        }
    }
    measured
}

fn run(
    metadata: &Metadata,
    program: &str,
    features: &str,
    options: Options,
) -> Result<Vec<Value>, String> {
    // Not the workspace's: the two have other versions of the same crates.
    let target = metadata.target_directory().join("peers");
    let json = Shell::cargo(&metadata.root())
        .args(["run", "--release"])
        .args(["--manifest-path", "benches/peer-costs/Cargo.toml"])
        .args([OsStr::new("--target-dir"), target.as_os_str()])
        .args(["--features", features, "--bin", program])
        .args(["--", "--json"])
        .args(options.quick.then_some("--quick"))
        .read()?;
    let rows = rows(&json)?;
    let own = |row: &Value| text(row, "name").starts_with("peer-");
    Ok(rows.into_iter().filter(own).collect())
}
