//! Tokens to and from the libraries of other languages, and the keys of a live provider.

mod go;
mod installed;
mod java;
mod language;
mod node;
mod ours;
mod python;
mod ruby;

use std::fs;
use std::path::PathBuf;

use crate::run::Context;
use crate::step::{Outcome, PASSED};

use installed::{empty, fault};
use language::{Language, Site};
use ours::Ours;

const LANGUAGES: [Language; 5] = [
    python::LANGUAGE,
    node::LANGUAGE,
    java::LANGUAGE,
    go::LANGUAGE,
    ruby::LANGUAGE,
];

/// Our tokens to the libraries, then theirs to us; then a live identity provider.
pub(crate) fn run(context: &Context) -> Result<Outcome, String> {
    let site = Site::new(context);
    let mut present = Vec::new();
    let mut skipped = Vec::new();
    for language in &LANGUAGES {
        let missing = (language.missing)(&site);
        if missing.is_empty() {
            present.push(language);
        } else {
            skipped.push(format!("{} needs {}", language.name, missing.join(" and ")));
        }
    }
    if !ours::can_mint(&site) {
        skipped.push("making a certificate needs openssl".to_owned());
        present.clear();
    }
    let skipped = skipped.join("; ");
    if !skipped.is_empty() {
        let rule = "!".repeat(80);
        println!("{rule}\n!! WARNING: not all interop tests are run: {skipped}\n{rule}");
        if context.ci || present.is_empty() {
            return Ok(Outcome::Skipped(skipped));
        }
    }

    fs::create_dir_all(&site.directory).map_err(|error| fault(&site.directory, &error))?;
    let programs = present
        .iter()
        .map(|language| (language.install)(&site))
        .collect::<Result<Vec<_>, _>>()?;
    let ours = Ours::build(context, &site)?;

    let exchange = site.directory.join("exchange");
    empty(&exchange)?;
    let minted = ours.mint(&exchange)?;
    for program in &programs {
        program.verify(&site, &minted)?;
    }
    fs::remove_file(&minted).map_err(|error| fault(&minted, &error))?;
    for program in &programs {
        program.sign(&site, &exchange)?;
    }
    ours.verify(&exchange)?;

    if present
        .iter()
        .any(|language| language.name == node::LANGUAGE.name)
    {
        let provider = node::install_provider(&site)?;
        ours.meet_provider(&provider)?;
        ours.follow_wso2(&provider, &site.scripts.join("wso2"))?;
    }
    if skipped.is_empty() {
        return Ok(PASSED);
    }
    Ok(Outcome::Passed(format!("NOT ALL: {skipped}")))
}

/// Programs that verify with keys that they fetch and keep.
pub(crate) struct CachingClients {
    /// Of the script in Python.
    pub(crate) interpreter: PathBuf,
    pub(crate) python: PathBuf,
    pub(crate) node: PathBuf,
}

/// With their packages.
pub(crate) fn install_caching_clients(context: &Context) -> Result<CachingClients, String> {
    let site = Site::new(context);
    for language in [python::LANGUAGE, node::LANGUAGE] {
        let missing = (language.missing)(&site);
        if !missing.is_empty() {
            return Err(format!("{} needs {}", language.name, missing.join(" and ")));
        }
    }
    fs::create_dir_all(&site.directory).map_err(|error| fault(&site.directory, &error))?;
    Ok(CachingClients {
        interpreter: python::interpreter(&site)?,
        python: site.scripts.join("python/caching_client.py"),
        node: node::install_packages(&site, "node")?.join("caching_client.mjs"),
    })
}
