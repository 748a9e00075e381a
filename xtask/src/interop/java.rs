use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::installed::{empty, fault, is_current, mark_current};
use super::language::{Language, Program, Site, failing};
use super::python;

pub(super) const LANGUAGE: Language = Language {
    name: "Java",
    missing,
    install,
};

/// Python's too, as the library comes by way of pip.
fn missing(site: &Site) -> Vec<&'static str> {
    let version = ["--release", "17", "--version"];
    let mut missing = failing([
        ("javac (17 or newer)", site.shell("javac").args(version)),
        ("java", site.shell("java").args(["--version"])),
    ]);
    missing.extend(python::missing(site));
    missing
}

fn install(site: &Site) -> Result<Program, String> {
    let scripts = site.scripts.join("java");
    let directory = site.directory.join("java");
    let jar = directory.join("nimbus.jar");
    let fetch = scripts.join("fetch.py");
    if !is_current(&directory, &fetch, &jar)? {
        empty(&directory)?;
        site.shell(python::interpreter(site)?)
            .args(["-B".as_ref(), fetch.as_path(), jar.as_path()])
            .run()?;
        mark_current(&directory, &fetch)?;
    }

    let classes = directory.join("classes");
    empty(&classes)?;
    let sources = sources(&scripts).map_err(|error| fault(&scripts, &error))?;
    site.shell("javac")
        .args([
            "--release",
            "17",
            "-Xlint:all",
            "-Werror",
            "-encoding",
            "UTF-8",
        ])
        .args(["-cp".as_ref(), jar.as_path(), "-d".as_ref(), &classes])
        .args(sources)
        .run()?;
    let class_path = std::env::join_paths([jar, classes]).map_err(|error| error.to_string())?;
    Ok(Program::new(
        "java",
        ["-cp".into(), class_path, "Interop".into()],
    ))
}

fn sources(scripts: &Path) -> io::Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(scripts)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "java")
        {
            sources.push(path);
        }
    }
    Ok(sources)
}
