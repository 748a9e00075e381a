//! The crates as they would be published.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::command::Shell;
use crate::run::Context;
use crate::step::{Outcome, PASSED, PUBLISHED};

/// Packs the published crates, and builds each from its package and the others'.
pub(crate) fn verify(context: &Context) -> Result<Outcome, String> {
    let directory = context.metadata.target_directory().join("packages");
    forget(context, &directory)?;
    Shell::cargo(&context.root())
        .args(["package", "--allow-dirty", "--target-dir"])
        .args([&directory])
        .args(PUBLISHED.iter().flat_map(|name| ["-p", name]))
        .run()?;
    Ok(PASSED)
}

/// cargo unpacks and builds a package of the workspace once for each version, and takes that again when the
/// code has changed and the version has not: a crate would be built with yesterday's other crate.
fn forget(context: &Context, built: &Path) -> Result<(), String> {
    remove(built)?;
    let Some(home) = cargo_home() else {
        return Ok(());
    };
    // Before anything was fetched there is none.
    let registries = fs::read_dir(home.join("registry/src"))
        .into_iter()
        .flatten();
    for registry in registries.flatten() {
        for name in PUBLISHED {
            let version = context.metadata.version(name);
            remove(&registry.path().join(format!("{name}-{version}")))?;
        }
    }
    Ok(())
}

fn remove(directory: &Path) -> Result<(), String> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(format!("cannot remove {}: {error}", directory.display()))
        }
        _ => Ok(()),
    }
}

fn cargo_home() -> Option<PathBuf> {
    let set = env::var_os("CARGO_HOME").map(PathBuf::from);
    set.or_else(|| Some(env::home_dir()?.join(".cargo")))
}
