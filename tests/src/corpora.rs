//! Test vectors of others, which are not part of this repository.

use serde::de::DeserializeOwned;
use std::{env, fs, path::PathBuf};

/// The folder with the vectors: `$JWT_CORPORA`, or `../shared/corpora` from the root of the
/// project. Where there is none, a line says that the test is skipped.
#[must_use]
pub fn corpora() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora");
    let folder = env::var_os("JWT_CORPORA").map_or_else(|| beside.into(), PathBuf::from);
    if folder.is_dir() {
        Some(folder)
    } else {
        println!("SKIPPED: no test vectors; JWT_CORPORA says where they are");
        None
    }
}

/// A JSON document of the vectors.
///
/// # Panics
///
/// The vectors are there and this one is not, or has another form.
#[must_use]
pub fn json<T: DeserializeOwned>(path: &str) -> Option<T> {
    let text = text(path)?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// The cases of a file with one in each line.
///
/// # Panics
///
/// As [`json`].
#[must_use]
pub fn json_lines<T: DeserializeOwned>(path: &str) -> Option<Vec<T>> {
    let text = text(path)?;
    let cases = text.lines().map(|line| {
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{path}: {error}: {line}"))
    });
    Some(cases.collect())
}

fn text(path: &str) -> Option<String> {
    let file = corpora()?.join(path);
    Some(fs::read_to_string(file).unwrap_or_else(|error| panic!("{path}: {error}")))
}
