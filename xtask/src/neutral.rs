use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::run::Context;
use crate::step::Outcome;

const SKIPPED_DIRECTORIES: [&str; 3] = [".git", "target", "node_modules"];

/// Looks for what works on one machine only: its paths, and the registries it is configured for.
pub(crate) fn check(context: &Context) -> Result<Outcome, String> {
    let root = context.root();
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    let places = places_of_this_machine(&root);
    let mut faults = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&root).unwrap_or(file);
        // Read as bytes: a key in DER or a picture is a file like any other.
        let bytes = fs::read(file).map_err(|error| format!("{}: {error}", name.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        for (number, line) in text.lines().enumerate() {
            let place = places.iter().find(|place| names_path(line, place));
            let fault = match place {
                Some(place) => Some(format!("names the path {place}")),
                None => registry_fault(name, line),
            };
            if let Some(fault) = fault {
                faults.push(format!("{}:{}: {fault}", name.display(), number + 1));
            }
        }
    }
    if faults.is_empty() {
        Ok(Outcome::Passed(format!("{} files", files.len())))
    } else {
        Err(format!("{} lines\n{}", faults.len(), faults.join("\n")))
    }
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let fault = |error| format!("{}: {error}", directory.display());
    for entry in fs::read_dir(directory).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let kind = entry.file_type().map_err(fault)?;
        if kind.is_file() {
            files.push(entry.path());
        } else if kind.is_dir()
            && !SKIPPED_DIRECTORIES
                .iter()
                .any(|skipped| entry.file_name() == *skipped)
        {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

/// The homes of users anywhere, and where this checkout and its user are; that only when the path
/// is long enough to be no path of a URL.
fn places_of_this_machine(root: &Path) -> Vec<String> {
    let mut places: Vec<String> = ["home", "Users", "root"]
        .iter()
        .map(|home| format!("/{home}/"))
        .collect();
    let own = [
        Some(root.to_owned()),
        env::var_os("HOME").map(PathBuf::from),
    ];
    for path in own
        .into_iter()
        .flatten()
        .filter(|path| path.components().count() > 2)
    {
        places.push(path.display().to_string());
    }
    places
}

/// Whether `line` holds `path` from its start, not as the end of a longer one.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-/*}{".contains(c))
    })
}

fn registry_fault(file: &Path, line: &str) -> Option<String> {
    let line = line.trim_start();
    let forbidden: &[&str] = match file.file_name()?.to_str()? {
        "Cargo.lock" if !line.starts_with("source = ") => &[],
        "Cargo.lock" if line.contains("https://github.com/rust-lang/crates.io-index") => &[],
        "Cargo.lock" => &["source"],
        "package-lock.json" => &["\"resolved\""],
        "requirements.txt" => &["-i ", "--index", "--extra-index", "--find-links", "://"],
        "config.toml" => &["[source", "[registr", "index ="],
        ".npmrc" | "pip.conf" | "pip.ini" => &[""],
        _ => &[],
    };
    let found = forbidden.iter().find(|word| line.contains(**word))?;
    Some(format!(
        "names a registry: `{found}` has no place in this file"
    ))
}

#[cfg(test)]
mod tests {
    use super::{names_path, registry_fault};
    use std::path::Path;

    #[test]
    fn a_path_is_found_at_its_start_only() {
        for (line, expected) in [
            ("see /builds/gateway/notes", true),
            ("\"/builds/gateway\"", true),
            ("https://example.com/builds/gateway", false),
            ("other/builds/gateway", false),
            ("/builds/other", false),
        ] {
            assert_eq!(names_path(line, "/builds/gateway"), expected, "{line}");
        }
    }

    #[test]
    fn a_lock_file_names_no_registry_but_the_default_one() {
        for (file, line, fault) in [
            (
                "Cargo.lock",
                r#"source = "registry+https://github.com/rust-lang/crates.io-index""#,
                false,
            ),
            (
                "Cargo.lock",
                r#"source = "registry+https://mirror.example/index""#,
                true,
            ),
            ("Cargo.lock", r#"checksum = "00""#, false),
            (
                "package-lock.json",
                r#"  "resolved": "https://mirror.example/jose.tgz","#,
                true,
            ),
            ("package-lock.json", r#"  "integrity": "sha512-00","#, false),
            ("requirements.txt", "joserfc==1.8.0", false),
            (
                "requirements.txt",
                "--index-url https://mirror.example/simple",
                true,
            ),
        ] {
            assert_eq!(
                registry_fault(Path::new(file), line).is_some(),
                fault,
                "{file}: {line}"
            );
        }
    }
}
