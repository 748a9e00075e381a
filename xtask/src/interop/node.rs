use std::fs;
use std::path::{Path, PathBuf};

use crate::command::Shell;

use super::installed::{empty, fault, is_current, mark_current};
use super::language::{Language, Program, Site, failing};

pub(super) const LANGUAGE: Language = Language {
    name: "Node",
    missing,
    install,
};

fn missing(site: &Site) -> Vec<&'static str> {
    // What oidc-provider uses of it, which some versions of Node 20 lack.
    let probe = "process.exit(Number(typeof URL.parse !== 'function' || !require('crypto').hash))";
    failing([
        (
            "node (a late 20 or newer, with URL.parse)",
            site.shell("node").args(["-e", probe]),
        ),
        ("npm", site.shell("npm").args(["--version"])),
    ])
}

fn install(site: &Site) -> Result<Program, String> {
    let directory = install_packages(site, "node")?;
    Ok(Program::new("node", [directory.join("interop.mjs")]))
}

/// The live identity provider is a program of this language, too.
pub(super) fn install_provider(site: &Site) -> Result<PathBuf, String> {
    install_packages(site, "provider")
}

/// A copy of the scripts beside their packages, as that is where node looks for them.
pub(super) fn install_packages(site: &Site, name: &str) -> Result<PathBuf, String> {
    let scripts = site.scripts.join(name);
    let directory = site.directory.join(name);
    let lock = scripts.join("package-lock.json");
    let current = is_current(&directory, &lock, &directory.join("node_modules"))?;
    if !current {
        empty(&directory)?;
    }
    copy_files(&scripts, &directory).map_err(|error| fault(&scripts, &error))?;
    if !current {
        Shell::new("npm", &directory)
            .args(["ci", "--no-audit", "--no-fund"])
            .run()?;
        mark_current(&directory, &lock)?;
    }
    Ok(directory)
}

fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
