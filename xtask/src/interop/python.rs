use std::path::PathBuf;

use super::installed::{empty, is_current, mark_current};
use super::language::{Language, Program, Site, failing};

pub(super) const LANGUAGE: Language = Language {
    name: "Python",
    missing,
    install,
};

pub(super) fn missing(site: &Site) -> Vec<&'static str> {
    // Debian has `venv` without the `ensurepip` that makes it work, in a package of its own.
    let probe = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";
    failing([(
        "python3 (3.11 or newer) with venv",
        site.shell("python3").args(["-c", probe]),
    )])
}

fn install(site: &Site) -> Result<Program, String> {
    let script = site.scripts.join("python/interop.py");
    // No cache of byte code among the sources.
    Ok(Program::new(
        interpreter(site)?,
        ["-B".into(), script.into_os_string()],
    ))
}

/// That of a virtual environment that holds the required packages.
pub(super) fn interpreter(site: &Site) -> Result<PathBuf, String> {
    let directory = site.directory.join("python");
    let interpreter = directory.join("bin/python");
    let requirements = site.scripts.join("python/requirements.txt");
    if !is_current(&directory, &requirements, &interpreter)? {
        empty(&directory)?;
        site.shell("python3")
            .args(["-m".as_ref(), "venv".as_ref(), directory.as_path()])
            .run()?;
        site.shell(&interpreter)
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .args([&requirements])
            .run()?;
        mark_current(&directory, &requirements)?;
    }
    Ok(interpreter)
}
