use crate::command::Shell;

use super::language::{Language, Program, Site, failing};

pub(super) const LANGUAGE: Language = Language {
    name: "Go",
    missing,
    install,
};

const LIBRARY: &str = "gopkg.in/square/go-jose.v2";

fn missing(site: &Site) -> Vec<&'static str> {
    let missing = failing([("go", site.shell("go").args(["version"]))]);
    if !missing.is_empty() {
        return missing;
    }
    failing([(
        "go-jose (Debian's golang-gopkg-square-go-jose.v2-dev)",
        go(site).args(["list", LIBRARY]),
    )])
}

fn install(site: &Site) -> Result<Program, String> {
    let name = format!("interop{}", std::env::consts::EXE_SUFFIX);
    let program = site.directory.join("go").join(name);
    go(site).args(["build", "-o"]).args([&program]).run()?;
    Ok(Program::new(program, [""; 0]))
}

/// In the directory of its sources. Without modules: Debian has the library as sources in a GOPATH, and nothing is downloaded.
fn go(site: &Site) -> Shell {
    let cache = site.directory.join("go/cache");
    Shell::new("go", &site.scripts.join("go"))
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", &cache.to_string_lossy())
}
