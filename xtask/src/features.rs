use crate::command::Shell;
use crate::run::Context;
use crate::step::{Outcome, PASSED, PUBLISHED, test_with};

const BACKENDS: [&str; 2] = ["aws-lc-rs", "ring"];

/// What is tested again with ring alone; each has to have a feature `ring` and no need of the
/// defaults.
const TESTED_WITH_RING: &[&str] = &["tower-jwks", "tower-backend-jwt", "tests"];

/// Each feature alone on the usual backend; none and all on each; and everything at once. As many builds as there are
/// features, not as there are subsets: no feature depends on the backend.
pub(crate) fn combinations(context: &Context) -> Result<Outcome, String> {
    let mut count = 0;
    for package in PUBLISHED {
        let all = context.metadata.features(package);
        let others: Vec<&str> = all
            .iter()
            .map(String::as_str)
            .filter(|name| !BACKENDS.contains(name))
            .collect();
        let mut sets: Vec<Vec<&str>> = Vec::new();
        let [usual, _] = BACKENDS;
        sets.extend(others.iter().map(|other| vec![usual, *other]));
        for backend in BACKENDS {
            sets.push(vec![backend]);
            sets.push([&[backend], others.as_slice()].concat());
        }
        sets.push([BACKENDS.as_slice(), others.as_slice()].concat());
        for set in &sets {
            Shell::cargo(&context.root())
                .args(["clippy", "--quiet", "-p", package, "--no-default-features"])
                .args(["--features", &set.join(","), "--", "-D", "warnings"])
                .run()?;
        }
        count += sets.len();
    }
    Ok(Outcome::Passed(format!("{count} combinations")))
}

pub(crate) fn without_backend(context: &Context) -> Result<Outcome, String> {
    for package in PUBLISHED {
        let output = Shell::cargo(&context.root())
            .args(["check", "--quiet", "-p", package, "--no-default-features"])
            .fail()?;
        let helps = |line: &&str| {
            line.starts_with("error: ") && BACKENDS.iter().all(|backend| line.contains(backend))
        };
        let Some(line) = output.lines().find(helps) else {
            return Err(format!(
                "{package} without a backend: no error names {}\n{output}",
                BACKENDS.join(" and ")
            ));
        };
        println!("{line}");
    }
    Ok(PASSED)
}

/// Everything but the other backend, as with both on aws-lc-rs is taken and `test` has been there.
pub(crate) fn test_with_ring(context: &Context) -> Result<Outcome, String> {
    let mut arguments = vec!["--no-default-features".to_owned()];
    for package in TESTED_WITH_RING {
        arguments.extend(["-p".to_owned(), (*package).to_owned()]);
    }
    let features = TESTED_WITH_RING.iter().flat_map(|package| {
        let all = context.metadata.features(package).into_iter();
        all.filter(|name| name != "aws-lc-rs")
            .map(move |name| format!("{package}/{name}"))
    });
    arguments.extend([
        "--features".to_owned(),
        features.collect::<Vec<_>>().join(","),
    ]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    test_with(context, &arguments)
}
