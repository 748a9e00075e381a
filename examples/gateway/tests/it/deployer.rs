//! Whoever deploys APIs.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::{
    backend::Backend,
    gateway::{Answer, Files, Gateway, bearer, conf, fetch},
    idp::{AUDIENCE, Idp},
};

pub(crate) const ADMIN_AUDIENCE: &str = "gateway-admin";

/// The settings that APIs can be deployed with.
pub(crate) const SETTINGS: &str =
    "admin: {listen: '127.0.0.1:0', audience: gateway-admin, apis_dir: deployed}\n";

pub(crate) const DEPLOY: &str = "/api/deployer/1.2.0/apis/deploy";

/// A gateway, what is behind it, and who may deploy.
pub(crate) struct Stage {
    pub(crate) files: Files,
    pub(crate) gateway: Gateway,
    pub(crate) backend: Backend,
    pub(crate) idp: Idp,
    pub(crate) token: String,
}

/// A file of a form.
pub(crate) type Part<'a> = (&'a str, &'a [u8]);

impl Stage {
    /// Without any API.
    pub(crate) async fn empty() -> Self {
        Self::with(|files, _| files).await
    }

    /// With files that are made for a backend.
    pub(crate) async fn with(files: impl FnOnce(Files, &Backend) -> Files) -> Self {
        let backend = Backend::start().await;
        let idp = Idp::new();
        let files = files(Files::new(&idp).more(SETTINGS), &backend);
        Self {
            gateway: files.start(),
            token: admin_token(&idp),
            files,
            backend,
            idp,
        }
    }

    /// Ends the gateway and starts another with the same files.
    pub(crate) fn restart(&mut self) {
        self.gateway = self.files.start();
    }

    /// An apk-conf with this name, served at `/NAME/1`, without authentication.
    pub(crate) fn conf(&self, name: &str) -> String {
        named(
            &self.backend,
            name,
            "[{target: '/*', verb: GET, secured: false}]",
        )
    }

    pub(crate) async fn deploy(&self, conf: &str) -> Answer {
        self.post(DEPLOY, &[("apkConfiguration", conf.as_bytes())])
            .await
    }

    /// Deploys what can be deployed, and says its id.
    pub(crate) async fn deployed(&self, conf: &str) -> String {
        let answer = self.deploy(conf).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        let id = text.lines().next().unwrap().strip_prefix("id: '").unwrap();
        id.strip_suffix('\'').unwrap().to_owned()
    }

    pub(crate) async fn undeploy(&self, id: &str) -> Answer {
        let path = format!("/api/deployer/1.2.0/apis/undeploy?apiId={id}");
        self.call("POST", &path, "", Bytes::new()).await
    }

    /// Sends a form.
    pub(crate) async fn post(&self, path: &str, parts: &[Part<'_>]) -> Answer {
        self.call("POST", path, FORM, form(parts)).await
    }

    pub(crate) async fn read(&self, path: &str) -> Answer {
        let path = format!("/api/deployer/1.2.0{path}");
        self.call("GET", &path, "", Bytes::new()).await
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Answer {
        call(
            &self.gateway,
            &self.token,
            (method, path),
            content_type,
            body,
        )
        .await
    }

    /// What is listed, by these fields.
    pub(crate) async fn list<const N: usize>(&self, fields: [&str; N]) -> Vec<[Value; N]> {
        let answer = self.read("/apis").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let list = answer.json();
        let entry = |api: &Value| fields.map(|field| api[field].clone());
        list.as_array().unwrap().iter().map(entry).collect()
    }

    /// The files that are kept, and what is in them.
    pub(crate) fn kept(&self) -> Vec<(String, String)> {
        let mut kept: Vec<_> = fs::read_dir(self.directory())
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let content = fs::read(entry.path()).unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, String::from_utf8_lossy(&content).into_owned())
            })
            .collect();
        kept.sort();
        kept
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.files.path("deployed")
    }

    /// A call of the API with this name, without a token.
    pub(crate) async fn get(&self, name: &str) -> Answer {
        self.gateway.get(&format!("/{name}/1/test"), &[]).await
    }

    /// The claims that the service behind sees.
    pub(crate) async fn claims(&self, path: &str) -> Value {
        let token = bearer(&self.idp.token(&json!({ "aud": AUDIENCE })));
        let answer = self.gateway.get(path, &[("Authorization", &token)]).await;
        claims(&answer)
    }
}

pub(crate) async fn call(
    gateway: &Gateway,
    token: &str,
    (method, path): (&str, &str),
    content_type: &str,
    body: Bytes,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(gateway.admin_url(path));
    if !token.is_empty() {
        request = request.header("authorization", bearer(token));
    }
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
    }
    fetch(request.body(Full::new(body)).unwrap()).await
}

pub(crate) fn admin_token(idp: &Idp) -> String {
    idp.token(&json!({ "aud": ADMIN_AUDIENCE, "scope": "other apk:api_create" }))
}

pub(crate) fn claims(answer: &Answer) -> Value {
    crate::idp::part(&answer.seen("x-jwt-assertion").unwrap(), 1)
}

/// An apk-conf with this name, served at `/NAME/1`.
pub(crate) fn named(backend: &Backend, name: &str, operations: &str) -> String {
    conf(backend, operations)
        .replace("name: orders", &format!("name: {name}"))
        .replace("basePath: /orders", &format!("basePath: /{name}"))
        .replace("version: 1.0.0", "version: '1'")
}

pub(crate) const FORM: &str = "multipart/form-data; boundary=between";

pub(crate) fn form(parts: &[Part<'_>]) -> Bytes {
    let mut form = Vec::new();
    for (name, content) in parts {
        form.extend_from_slice(
            format!(
                "--between\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            )
            .as_bytes(),
        );
        form.extend_from_slice(content);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(b"--between--\r\n");
    form.into()
}

/// Status and code of an error.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: u32) -> Value {
    let json = answer.json();
    assert_eq!(
        (answer.status.as_u16(), &json["code"]),
        (status, &json!(code)),
        "{answer:?}"
    );
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    json
}
