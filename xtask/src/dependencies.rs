use std::collections::BTreeSet;

use crate::command::Shell;
use crate::metadata::RustVersion;
use crate::run::Context;
use crate::step::{Outcome, PUBLISHED};

const COUNTED: &str = "tower-backend-jwt";

/// What is allowed, with which features: the tokens alone, with keys that are fetched by any client,
/// and with the client of the default, which is most of hyper and rustls.
const BUDGETS: [(&str, &str, usize); 3] = [
    ("the core", "aws-lc-rs,tracing", 60),
    ("with remote keys", "aws-lc-rs,tracing,remote", 60),
    ("by default", "default", 75),
];

/// What the crates' own code needs a newer Rust for than their dependencies do, and which.
const NEWER: (RustVersion, &str) = (RustVersion::new(1, 89), "std::fs::File::try_lock");

/// Normal and build dependencies, on this platform.
pub(crate) fn count(context: &Context) -> Result<Outcome, String> {
    let mut counts = Vec::new();
    for (name, features, budget) in BUDGETS {
        let tree = Shell::cargo(&context.root())
            .args(["tree", "-p", COUNTED, "--no-default-features", "--features"])
            .args([features])
            .args(["-e", "normal,build", "--prefix", "none", "--format", "{p}"])
            .read()?;
        let packages: BTreeSet<&str> = tree
            .lines()
            .map(|line| line.trim_end_matches(" (*)"))
            .filter(|line| !line.is_empty() && line.split(' ').next() != Some(COUNTED))
            .collect();
        let count = packages.len();
        if count > budget {
            let list: Vec<&str> = packages.into_iter().collect();
            return Err(format!(
                "{count} dependencies {name}, {budget} are allowed:\n{}",
                list.join("\n")
            ));
        }
        counts.push(format!("{count} of {budget} {name}"));
    }
    Ok(Outcome::Passed(counts.join(", ")))
}

/// Equality, in both directions: a lower one is not true, a higher one shuts users out.
pub(crate) fn rust_version(context: &Context) -> Result<Outcome, String> {
    let demands = context.metadata.demands(&PUBLISHED);
    let others = demands
        .iter()
        .filter(|(name, _)| !PUBLISHED.contains(&name.as_str()));
    let Some((by, demanded)) = others.max_by_key(|(_, version)| *version) else {
        return Err("no dependencies in the output of cargo metadata".to_owned());
    };
    let (newer, reason) = NEWER;
    if newer <= *demanded {
        return Err(format!(
            "{by} demands {demanded}: {newer} for {reason} is no reason any more, and NEWER can go"
        ));
    }
    for package in PUBLISHED {
        let declared = context.metadata.rust_version(package);
        if declared != newer {
            return Err(format!(
                "{package} declares rust-version {declared}, but it needs {newer} for {reason}"
            ));
        }
    }
    Ok(Outcome::Passed(format!(
        "{newer}, for {reason}; {demanded}, demanded by {by}"
    )))
}
