//! The gateway as a process.

use crate::{
    DIALECT, Failure,
    checks::text,
    curl::{Answer, curl, expect},
};
use serde_json::{Map, Value};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// The gateway, a process that ends with this value.
pub(crate) struct Gateway {
    process: Child,
    folder: PathBuf,
    apis: String,
    admin: String,
}

impl Gateway {
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self, Failure> {
        let mut process = Command::new(program)
            .arg("--config")
            .arg(folder.join("gateway.yaml"))
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let mut gateway = Self {
            process,
            folder: folder.to_owned(),
            apis: String::new(),
            admin: String::new(),
        };
        for line in BufReader::new(output).lines() {
            let line = line?;
            let after = |start: &str| {
                let rest = line.strip_prefix(start)?;
                rest.split(' ').next().map(str::to_owned)
            };
            if let Some(url) = after("listening on ") {
                gateway.apis = url;
            }
            if let Some(url) = after("admin at ") {
                gateway.admin = url;
                return Ok(gateway);
            }
        }
        Err("the gateway did not start".into())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.apis)
    }

    pub(crate) fn admin_url(&self, path: &str) -> String {
        format!("{}{path}", self.admin)
    }

    pub(crate) fn deploy(&self, conf: &str, token: Option<&str>) -> Result<Answer, Failure> {
        let file = self.folder.join("deployed.apk-conf");
        fs::write(&file, conf)?;
        let part = format!("apkConfiguration=@{}", file.display());
        let url = self.admin_url("/api/deployer/1.2.0/apis/deploy");
        let authorization = token.map(|token| format!("Authorization: Bearer {token}"));
        let mut arguments = vec!["-F", &part, &url];
        if let Some(authorization) = &authorization {
            arguments.extend(["-H", authorization]);
        }
        curl(&arguments)
    }

    /// By the id that the list has for the sample's API.
    pub(crate) fn undeploy(&self, sample: &Map<String, Value>, token: &str) -> Result<(), Failure> {
        let name = text(sample, &format!("{DIALECT}apiname"))?;
        let authorization = format!("Authorization: Bearer {token}");
        let list = curl(&[
            "-H",
            &authorization,
            &self.admin_url("/api/deployer/1.2.0/apis"),
        ])?;
        expect(&list, "200")?;
        let list: Value = serde_json::from_str(&list.body)?;
        let api = list
            .as_array()
            .and_then(|apis| apis.iter().find(|api| api["name"] == name))
            .ok_or_else(|| format!("{name} is not in {list}"))?;
        let id = api["id"].as_str().ok_or("no id")?;
        let url = self.admin_url(&format!("/api/deployer/apis/undeploy?apiId={id}"));
        expect(&curl(&["-X", "POST", "-H", &authorization, &url])?, "202")
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
