use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::command::Shell;

/// What `cargo metadata` says of the workspace and its dependencies.
pub(crate) struct Metadata(Value);

impl Metadata {
    pub(crate) fn read() -> Result<Self, String> {
        let json = Shell::cargo(Path::new("."))
            .args(["metadata", "--format-version", "1", "--all-features"])
            .read()?;
        match serde_json::from_str(&json) {
            Ok(value) => Ok(Self(value)),
            Err(error) => Err(format!("the output of cargo metadata is not JSON: {error}")),
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        text(&self.0["workspace_root"]).into()
    }

    pub(crate) fn target_directory(&self) -> PathBuf {
        text(&self.0["target_directory"]).into()
    }

    /// The features that a member's manifest declares, without `default`, sorted.
    pub(crate) fn features(&self, package: &str) -> Vec<String> {
        let declared = self
            .member(package)
            .and_then(|member| member["features"].as_object());
        let names = declared.into_iter().flat_map(|features| features.keys());
        let mut features: Vec<String> = names
            .filter(|name| name.as_str() != "default")
            .cloned()
            .collect();
        features.sort();
        features
    }

    /// The version of a member.
    pub(crate) fn version(&self, package: &str) -> &str {
        self.member(package)
            .map_or("", |member| text(&member["version"]))
    }

    /// `rust-version` of a member.
    pub(crate) fn rust_version(&self, package: &str) -> RustVersion {
        self.member(package)
            .map_or_else(RustVersion::default, RustVersion::of)
    }

    /// Name and `rust-version` of what the packages need to be built, optional dependencies
    /// included.
    pub(crate) fn demands(&self, packages: &[&str]) -> Vec<(String, RustVersion)> {
        let by_id: HashMap<&str, &Value> = array(&self.0["packages"])
            .iter()
            .map(|package| (text(&package["id"]), package))
            .collect();
        let nodes: HashMap<&str, &Value> = array(&self.0["resolve"]["nodes"])
            .iter()
            .map(|node| (text(&node["id"]), node))
            .collect();
        let members = packages.iter().filter_map(|name| self.member(name));
        let mut open: Vec<&str> = members.map(|member| text(&member["id"])).collect();
        let mut seen: HashSet<&str> = open.iter().copied().collect();
        let mut demands = Vec::new();
        while let Some(id) = open.pop() {
            for dependency in nodes.get(id).map_or(&[][..], |node| array(&node["deps"])) {
                let id = text(&dependency["pkg"]);
                let needed = array(&dependency["dep_kinds"])
                    .iter()
                    .any(|kind| kind["kind"] != "dev");
                if needed && seen.insert(id) {
                    open.push(id);
                    if let Some(package) = by_id.get(id) {
                        demands.push((text(&package["name"]).to_owned(), RustVersion::of(package)));
                    }
                }
            }
        }
        demands
    }

    fn member(&self, name: &str) -> Option<&Value> {
        array(&self.0["packages"])
            .iter()
            .find(|package| package["source"].is_null() && text(&package["name"]) == name)
    }
}

/// A `rust-version`, ordered as versions are; a package without one demands nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RustVersion(u16, u16, u16);

impl RustVersion {
    pub(crate) const fn new(major: u16, minor: u16) -> Self {
        Self(major, minor, 0)
    }

    fn of(package: &Value) -> Self {
        let mut parts = text(&package["rust_version"])
            .split('.')
            .map(|part| part.parse().unwrap_or(0));
        let mut part = || parts.next().unwrap_or(0);
        Self(part(), part(), part())
    }
}

impl std::fmt::Display for RustVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(major, minor, patch) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
