use super::language::{Language, Program, Site, failing};

pub(super) const LANGUAGE: Language = Language {
    name: "Ruby",
    missing,
    install,
};

fn missing(site: &Site) -> Vec<&'static str> {
    failing([(
        "ruby with the gem jwt (Debian's ruby-jwt)",
        site.shell("ruby").args(["-e", "require 'jwt'"]),
    )])
}

fn install(site: &Site) -> Result<Program, String> {
    Ok(Program::new("ruby", [site.scripts.join("ruby/interop.rb")]))
}
