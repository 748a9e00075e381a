use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::command::Shell;
use crate::run::Context;

/// A language whose libraries exchange tokens with us.
pub(super) struct Language {
    pub(super) name: &'static str,
    /// What it needs and this machine does not have.
    pub(super) missing: fn(&Site) -> Vec<&'static str>,
    pub(super) install: fn(&Site) -> Result<Program, String>,
}

/// Where the scripts are, and where what they need is put.
pub(super) struct Site {
    pub(super) root: PathBuf,
    pub(super) scripts: PathBuf,
    pub(super) directory: PathBuf,
}

impl Site {
    pub(super) fn new(context: &Context) -> Self {
        let root = context.root();
        Self {
            scripts: root.join("tests/interop"),
            directory: context.metadata.target_directory().join("interop"),
            root,
        }
    }

    pub(super) fn shell(&self, program: impl AsRef<Path>) -> Shell {
        Shell::new(program.as_ref(), &self.root)
    }
}

/// What knows the two commands that `tests/interop/README.md` describes.
pub(super) struct Program {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    pub(super) fn new<I>(program: impl Into<PathBuf>, arguments: I) -> Self
    where
        I: IntoIterator<Item: Into<OsString>>,
    {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
        }
    }

    pub(super) fn verify(&self, site: &Site, document: &Path) -> Result<(), String> {
        self.shell(site).args(["verify"]).args([document]).run()
    }

    pub(super) fn sign(&self, site: &Site, directory: &Path) -> Result<(), String> {
        let recipes = site.scripts.join("access_tokens.json");
        self.shell(site)
            .args(["sign"])
            .args([&recipes, directory])
            .run()
    }

    fn shell(&self, site: &Site) -> Shell {
        site.shell(&self.program).args(&self.arguments)
    }
}

/// The names of those that cannot be started, or do not end well.
pub(super) fn failing<const N: usize>(needs: [(&'static str, Shell); N]) -> Vec<&'static str> {
    needs
        .into_iter()
        .filter_map(|(name, shell)| (!shell.succeeds()).then_some(name))
        .collect()
}
