use std::{env, path::PathBuf};

use crate::command::Shell;
use crate::run::Context;
use crate::{dependencies, features, interop, neutral, package};

/// The crates that go to crates.io.
pub(crate) const PUBLISHED: [&str; 2] = ["tower-jwks", "tower-backend-jwt"];

pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Context) -> Result<Outcome, String>,
}

pub(crate) enum Outcome {
    /// With what is worth a word in the summary.
    Passed(String),
    /// With the reason why it cannot run here.
    Skipped(String),
}

pub(crate) const PASSED: Outcome = Outcome::Passed(String::new());

/// Cheap ones first; and those that build the same dependencies next to each other.
pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "the code is formatted",
        run: fmt,
    },
    Step {
        name: "neutral",
        about: "no file names this machine, its registries or its paths",
        run: neutral::check,
    },
    Step {
        name: "rust-version",
        about: "the declared rust-version is the one that the dependencies or our own code need",
        run: dependencies::rust_version,
    },
    Step {
        name: "dependencies",
        about: "tower-backend-jwt has no more of them than is allowed",
        run: dependencies::count,
    },
    Step {
        name: "clippy",
        about: "no warnings, with all features",
        run: clippy,
    },
    Step {
        name: "doc",
        about: "the docs build without warnings",
        run: doc,
    },
    Step {
        name: "test",
        about: "unit and integration tests, with all features",
        run: test,
    },
    Step {
        name: "doctest",
        about: "the examples in the docs",
        run: doctest,
    },
    Step {
        name: "features",
        about: "each feature alone, and all together on each backend",
        run: features::combinations,
    },
    Step {
        name: "no-backend",
        about: "without a backend, an error that names the features",
        run: features::without_backend,
    },
    Step {
        name: "ring",
        about: "the same tests, with ring alone",
        run: features::test_with_ring,
    },
    Step {
        name: "package",
        about: "the published crates build from their packages",
        run: package::verify,
    },
    Step {
        name: "interop",
        about: "tokens to and from libraries of Python, Node, Java, Go and Ruby; keys of oidc-provider",
        run: interop::run,
    },
];

fn fmt(context: &Context) -> Result<Outcome, String> {
    Shell::cargo(&context.root())
        .args(["fmt", "--all", "--check"])
        .run()?;
    Ok(PASSED)
}

fn clippy(context: &Context) -> Result<Outcome, String> {
    Shell::cargo(&context.root())
        .args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--",
            "-D",
            "warnings",
        ])
        .run()?;
    Ok(PASSED)
}

fn test(context: &Context) -> Result<Outcome, String> {
    test_with(context, &["--workspace", "--all-features"])
}

/// Tests that are not doc tests; those are a step of their own, which nextest does not know.
pub(crate) fn test_with(context: &Context, selection: &[&str]) -> Result<Outcome, String> {
    let root = context.root();
    let (runner, arguments): (&str, &[&str]) = if Shell::cargo(&root)
        .args(["nextest", "--version"])
        .succeeds()
    {
        ("cargo-nextest", &["nextest", "run"])
    } else {
        (
            "cargo test, as cargo-nextest is not installed",
            &["test", "--lib", "--bins", "--tests"],
        )
    };
    println!("with {runner}");
    Shell::cargo(&root).args(arguments).args(selection).run()?;
    // A test that skips itself passes: said here, as the runner hides what passing tests print.
    let beside = root.join("../shared/corpora");
    let vectors = env::var_os("JWT_CORPORA").map_or(beside, PathBuf::from);
    let without = if vectors.is_dir() {
        ""
    } else {
        ", without the vectors that JWT_CORPORA would point to"
    };
    Ok(Outcome::Passed(format!("with {runner}{without}")))
}

/// The whole workspace, as what `test` has built for it is taken again.
fn doctest(context: &Context) -> Result<Outcome, String> {
    Shell::cargo(&context.root())
        .args(["test", "--doc", "--workspace", "--all-features"])
        .run()?;
    Ok(PASSED)
}

fn doc(context: &Context) -> Result<Outcome, String> {
    Shell::cargo(&context.root())
        .env("RUSTDOCFLAGS", "-D warnings")
        .args(["doc", "--no-deps", "--all-features"])
        .args(PUBLISHED.iter().flat_map(|name| ["-p", name]))
        .run()?;
    Ok(PASSED)
}
