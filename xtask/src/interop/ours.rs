use std::path::{Path, PathBuf};

use crate::command::Shell;
use crate::run::Context;

use super::language::Site;

/// Our own programs.
pub(super) struct Ours {
    root: PathBuf,
    programs: PathBuf,
}

/// Whether the program is there that makes the certificate of a signing key.
pub(super) fn can_mint(site: &Site) -> bool {
    site.shell("openssl").args(["version"]).succeeds()
}

impl Ours {
    pub(super) fn build(context: &Context, site: &Site) -> Result<Self, String> {
        // With the features of the step `test`, so that what it has built is taken again.
        Shell::cargo(&site.root)
            .args(["build", "--quiet", "--workspace", "--all-features"])
            .args(["--bin", "interop", "--bin", "live_provider"])
            .args(["--bin", "wso2", "--bin", "gateway"])
            .run()?;
        Ok(Self {
            root: site.root.clone(),
            programs: context.metadata.target_directory().join("debug"),
        })
    }

    /// The file with what is minted.
    pub(super) fn mint(&self, exchange: &Path) -> Result<PathBuf, String> {
        self.shell("interop")
            .args(["mint"])
            .args([exchange])
            .run()?;
        Ok(exchange.join("tower-backend-jwt.json"))
    }

    pub(super) fn verify(&self, exchange: &Path) -> Result<(), String> {
        self.shell("interop")
            .args(["verify"])
            .args([exchange])
            .run()
    }

    pub(super) fn meet_provider(&self, provider: &Path) -> Result<(), String> {
        self.shell("live_provider").args([provider]).run()
    }

    /// What WSO2's documentation shows, with the gateway.
    pub(super) fn follow_wso2(&self, provider: &Path, samples: &Path) -> Result<(), String> {
        let gateway = format!("gateway{}", std::env::consts::EXE_SUFFIX);
        self.shell("wso2")
            .args([&self.programs.join(gateway)])
            .args([provider])
            .args([samples])
            .run()
    }

    fn shell(&self, name: &str) -> Shell {
        let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        Shell::new(self.programs.join(name), &self.root)
    }
}
