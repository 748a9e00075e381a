use std::fs;
use std::path::{Path, PathBuf};

use crate::command::Shell;
use crate::run::Context;
use crate::step::{Outcome, PASSED};

const NODE_FILES: [&str; 6] = [
    "package.json",
    "package-lock.json",
    "interop.mjs",
    "version.mjs",
    "with_jose.mjs",
    "with_jsonwebtoken.mjs",
];

const PROVIDER_FILES: [&str; 4] = [
    "package.json",
    "package-lock.json",
    "provider.mjs",
    "tokens.mjs",
];

/// Our tokens to the libraries, then theirs to us; then a live identity provider.
pub(crate) fn run(context: &Context) -> Result<Outcome, String> {
    let root = context.root();
    let missing = missing(&root);
    if !missing.is_empty() {
        let reason = format!("needs {}", missing.join(" and "));
        let rule = "!".repeat(80);
        println!("{rule}\n!! WARNING: the interop tests are NOT run: this step {reason}\n{rule}");
        return Ok(Outcome::Skipped(reason));
    }
    let scripts = root.join("tests/interop");
    let directory = context.metadata.target_directory().join("interop");
    let exchange = directory.join("exchange");
    fs::create_dir_all(&directory).map_err(|error| fault(&directory, &error))?;

    let python = install_python(&root, &scripts, &directory.join("python"))?;
    let node = install_node(&scripts, &NODE_FILES, &directory.join("node"))?;
    let provider = install_node(
        &scripts.join("provider"),
        &PROVIDER_FILES,
        &directory.join("provider"),
    )?;

    // With the features of the step `test`, so that what it has built is taken again.
    Shell::cargo(&root)
        .args(["build", "--quiet", "--workspace", "--all-features"])
        .args(["--bin", "interop", "--bin", "live_provider"])
        .run()?;
    let program = |name: &str| {
        let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        context.metadata.target_directory().join("debug").join(name)
    };
    let ours = |command: &str, directory: &Path| {
        Shell::new(program("interop"), &root)
            .args([command])
            .args([directory])
            .run()
    };
    let by_python = |command: &str, path: &Path| {
        // No cache of byte code among the sources.
        let script = scripts.join("interop.py");
        Shell::new(&python, &root)
            .args(["-B"])
            .args([&script])
            .args([command])
            .args([path])
            .run()
    };
    let by_node = |command: &str, path: &Path| {
        let script = node.join("interop.mjs");
        Shell::new("node", &root)
            .args([&script])
            .args([command])
            .args([path])
            .run()
    };

    empty(&exchange)?;
    ours("mint", &exchange)?;
    let minted = exchange.join("tower-backend-jwt.json");
    by_python("verify", &minted)?;
    by_node("verify", &minted)?;
    fs::remove_file(&minted).map_err(|error| fault(&minted, &error))?;
    by_python("sign", &exchange)?;
    by_node("sign", &exchange)?;
    ours("verify", &exchange)?;

    Shell::new(program("live_provider"), &root)
        .args([&provider])
        .run()?;
    Ok(PASSED)
}

/// What this step needs and this machine does not have.
fn missing(root: &Path) -> Vec<&'static str> {
    // Debian has `venv` without the `ensurepip` that makes it work, in a package of its own.
    let python = [
        "-c",
        "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))",
    ];
    // What oidc-provider uses of it, which some versions of Node 20 lack.
    let node = [
        "-e",
        "process.exit(Number(typeof URL.parse !== 'function' || !require('crypto').hash))",
    ];
    let needs = [
        (
            "python3 (3.11 or newer) with venv",
            Shell::new("python3", root).args(python),
        ),
        (
            "node (a late 20 or newer, with URL.parse)",
            Shell::new("node", root).args(node),
        ),
        ("npm", Shell::new("npm", root).args(["--version"])),
    ];
    needs
        .into_iter()
        .filter_map(|(name, shell)| (!shell.succeeds()).then_some(name))
        .collect()
}

/// The interpreter of a virtual environment that holds the required packages.
fn install_python(root: &Path, scripts: &Path, directory: &Path) -> Result<PathBuf, String> {
    let interpreter = directory.join("bin/python");
    let requirements = scripts.join("requirements.txt");
    if !is_current(directory, &requirements, &interpreter)? {
        empty(directory)?;
        Shell::new("python3", root)
            .args(["-m".as_ref(), "venv".as_ref(), directory])
            .run()?;
        Shell::new(&interpreter, root)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .args([&requirements])
            .run()?;
        mark_current(directory, &requirements)?;
    }
    Ok(interpreter)
}

/// A copy of the scripts beside their packages, as that is where node looks for them.
fn install_node(scripts: &Path, files: &[&str], directory: &Path) -> Result<PathBuf, String> {
    let lock = scripts.join("package-lock.json");
    let current = is_current(directory, &lock, &directory.join("node_modules"))?;
    if !current {
        empty(directory)?;
    }
    for name in files {
        let file = scripts.join(name);
        fs::copy(&file, directory.join(name)).map_err(|error| fault(&file, &error))?;
    }
    if !current {
        Shell::new("npm", directory)
            .args(["ci", "--no-audit", "--no-fund"])
            .run()?;
        mark_current(directory, &lock)?;
    }
    Ok(directory.to_owned())
}

/// Whether `directory` was filled, to its end, from this very list of packages.
fn is_current(directory: &Path, list: &Path, result: &Path) -> Result<bool, String> {
    let list = fs::read(list).map_err(|error| fault(list, &error))?;
    let installed = fs::read(directory.join("installed"));
    Ok(result.exists() && installed.is_ok_and(|installed| installed == list))
}

fn mark_current(directory: &Path, list: &Path) -> Result<(), String> {
    fs::copy(list, directory.join("installed")).map_err(|error| fault(list, &error))?;
    Ok(())
}

fn empty(directory: &Path) -> Result<(), String> {
    if directory.exists() {
        fs::remove_dir_all(directory).map_err(|error| fault(directory, &error))?;
    }
    fs::create_dir_all(directory).map_err(|error| fault(directory, &error))
}

fn fault(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
