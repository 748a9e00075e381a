//! The calls over HTTP.

use std::{
    convert::Infallible,
    fs, io,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::task;
use tower::{Layer, Service, ServiceExt, util::BoxCloneSyncService};
use tower_backend_jwt::{AccessTokenLayer, RefusalFormat, Verifier};

use super::{
    Deployer,
    answer::{self, Refusal},
    caller::Caller,
    multipart,
};
use crate::{
    body::{self, Body},
    error::Fault,
    gateway::GatewayService,
    table::{Broken, Served},
};

/// Where the calls are.
pub(crate) const PATH: &str = "/api/deployer";

/// The version of the API, which may be left out.
const VERSION: &str = "/1.2.0";

const SCOPE: &str = "apk:api_create";

/// Whether a path is the deployer's.
pub(crate) fn is_for(path: &str) -> bool {
    path.strip_prefix(PATH)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The calls, for whoever has a token that passes the verifier and has the scope.
pub(crate) fn service(deployer: Deployer, verifier: Verifier) -> Result<GatewayService, Fault> {
    let guard = AccessTokenLayer::new(verifier)
        .require_all_scopes([SCOPE])
        .map_err(|error| Fault::new("admin", error))?
        .refusal_format(RefusalFormat::Wso2)
        // Few calls, and none that is in a hurry.
        .no_cache();
    let calls = guard.layer(Calls(Arc::new(deployer)));
    Ok(BoxCloneSyncService::new(calls.map_response(
        |response: Response<_>| response.map(body::boxed),
    )))
}

#[derive(Debug, Clone)]
struct Calls(Arc<Deployer>);

impl Service<Request<Body>> for Calls {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let deployer = Arc::clone(&self.0);
        Box::pin(async move { Ok(answer(deployer, request).await) })
    }
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Call {
    Deploy,
    Undeploy,
    List,
    Conf(String),
    Definition(String),
}

impl Call {
    fn find(method: &Method, path: &str) -> Result<Self, Refusal> {
        let rest = path.strip_prefix(PATH).unwrap_or_default();
        let rest = rest.strip_prefix(VERSION).unwrap_or(rest);
        let mut segments = rest.split('/');
        let call = match [(); 5].map(|()| segments.next()) {
            [Some(""), Some("apis"), None, ..] => Self::List,
            [Some(""), Some("apis"), Some("deploy"), None, _] => Self::Deploy,
            [Some(""), Some("apis"), Some("undeploy"), None, _] => Self::Undeploy,
            [Some(""), Some("apis"), Some(id), None, _] if !id.is_empty() => {
                Self::Conf(id.to_owned())
            }
            [Some(""), Some("apis"), Some(id), Some("definition"), None] => {
                Self::Definition(id.to_owned())
            }
            _ => return Err(Refusal::NoCall),
        };
        match call {
            Self::Deploy | Self::Undeploy if method == Method::POST => Ok(call),
            Self::Deploy | Self::Undeploy => Err(Refusal::Method("POST")),
            _ if matches!(*method, Method::GET | Method::HEAD) => Ok(call),
            _ => Err(Refusal::Method("GET, HEAD")),
        }
    }
}

async fn answer(deployer: Arc<Deployer>, request: Request<Body>) -> Response<Body> {
    let is_head = *request.method() == Method::HEAD;
    let response = respond(deployer, request)
        .await
        .unwrap_or_else(|refusal| refusal.answer());
    if is_head {
        // hyper leaves the body off in HTTP/1.1, but not in HTTP/2.
        return response.map(|_| body::full(""));
    }
    response
}

async fn respond(
    deployer: Arc<Deployer>,
    request: Request<Body>,
) -> Result<Response<Body>, Refusal> {
    match Call::find(request.method(), request.uri().path())? {
        Call::Deploy => {
            let caller = Caller::of(&request);
            let served = deploy(deployer, request)
                .await
                .inspect_err(|refusal| caller.is_refused("deploy", refusal))?;
            caller.has_deployed(&served);
            Ok(answer::yaml(served.conf.clone()))
        }
        Call::Undeploy => {
            let caller = Caller::of(&request);
            let (id, served) = undeploy(deployer, api_id(request.uri().query()))
                .await
                .inspect_err(|refusal| caller.is_refused("undeploy", refusal))?;
            caller.has_undeployed(&id, served.as_deref());
            let text = format!("API with id {id} undeployed successfully");
            Ok(answer::json_of(
                StatusCode::ACCEPTED,
                &json!({ "status": text }),
            ))
        }
        Call::List => Ok(answer::json_of(StatusCode::OK, &list(&deployer))),
        Call::Conf(id) => Ok(answer::yaml(found(&deployer, &id)?.conf.clone())),
        Call::Definition(id) => {
            let served = found(&deployer, &id)?;
            Ok(answer::definition(definition(served, id).await?))
        }
    }
}

async fn deploy(deployer: Arc<Deployer>, request: Request<Body>) -> Result<Arc<Served>, Refusal> {
    let place = deployer.uploads.enter().await?;
    let form = multipart::read(request).await?;
    blocking(move || {
        let outcome = deployer.deploy(&form);
        // Only now is the form out of the memory.
        drop((form, place));
        outcome
    })
    .await
}

async fn undeploy(
    deployer: Arc<Deployer>,
    id: Result<String, Refusal>,
) -> Result<(String, Option<Arc<Served>>), Refusal> {
    let id = id?;
    blocking(move || deployer.undeploy(&id).map(|served| (id, served))).await
}

/// Away from the threads that serve. It runs to its end, even if nobody waits for it any more.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let outcome = task::spawn_blocking(work).await;
    outcome.unwrap_or_else(|error| Err(Refusal::Failed(error.to_string())))
}

/// The one `apiId` of a query.
fn api_id(query: Option<&str>) -> Result<String, Refusal> {
    let mut ids = query
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.strip_prefix("apiId="));
    match (ids.next(), ids.next()) {
        (Some(id), None) if !id.is_empty() => {
            Ok(percent_decode_str(id).decode_utf8_lossy().into_owned())
        }
        _ => Err(Refusal::NoId),
    }
}

fn found(deployer: &Deployer, id: &str) -> Result<Arc<Served>, Refusal> {
    let table = deployer.apis.table();
    let served = table.find(id).cloned();
    served.ok_or_else(|| Refusal::Unknown(id.to_owned()))
}

async fn definition(served: Arc<Served>, id: String) -> Result<Vec<u8>, Refusal> {
    let Some(file) = served.definition().map(Path::to_owned) else {
        return Err(Refusal::NoDefinition(id));
    };
    blocking(move || {
        fs::read(file).map_err(|error| match error.kind() {
            // Another one has been deployed since.
            io::ErrorKind::NotFound => Refusal::NoDefinition(id),
            _ => Refusal::NotStored(error),
        })
    })
    .await
}

fn list(deployer: &Deployer) -> Value {
    let table = deployer.apis.table();
    let served = table.served().iter().map(|served| summary(served));
    let broken = table.broken().iter().map(|broken| trouble(broken));
    served.chain(broken).collect()
}

fn summary(served: &Served) -> Value {
    let api = &served.api;
    json!({
        "id": served.id,
        "name": api.name,
        "version": api.version,
        "basePath": api.base_path(),
        "context": api.context,
        "deployed": served.is_deployed(),
        "served": true,
    })
}

fn trouble(broken: &Broken) -> Value {
    json!({
        "id": broken.id,
        "file": broken.error.file().file_name().map(|name| name.to_string_lossy()),
        "deployed": true,
        "served": false,
        "error": broken.error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_found_with_the_version_and_without() {
        for (method, path, call) in [
            (Method::POST, "/apis/deploy", Call::Deploy),
            (Method::POST, "/apis/undeploy", Call::Undeploy),
            (Method::GET, "/apis", Call::List),
            (Method::HEAD, "/apis/a-1", Call::Conf("a-1".to_owned())),
            (
                Method::GET,
                "/apis/a/definition",
                Call::Definition("a".to_owned()),
            ),
        ] {
            for start in ["/api/deployer", "/api/deployer/1.2.0"] {
                let path = format!("{start}{path}");
                assert_eq!(Call::find(&method, &path).unwrap(), call, "{path}");
            }
        }
    }

    #[test]
    fn what_is_no_call_is_not_found() {
        for path in [
            "",
            "/",
            "/1.2.0",
            "/1.1.0/apis",
            "/1.2.0apis",
            "/apis/",
            "//apis",
            "/apis//definition/x",
            "/apis/a/definition/",
            "/apis/a/other",
            "/apis/deploy/",
        ] {
            let path = format!("/api/deployer{path}");
            assert!(is_for(&path), "{path}");
            let refusal = Call::find(&Method::GET, &path).unwrap_err();
            assert!(matches!(refusal, Refusal::NoCall), "{path}: {refusal}");
        }
        assert!(!is_for("/api/deployers"));
        assert!(!is_for("/x/api/deployer"));
    }

    #[test]
    fn an_api_is_named_once() {
        for (query, id) in [
            ("apiId=a", Some("a")),
            ("x=y&apiId=%61.b", Some("a.b")),
            ("apiId=..%2Fa", Some("../a")),
            ("", None),
            ("apiId", None),
            ("apiId=", None),
            ("apiid=a", None),
            ("apiId=a&apiId=b", None),
        ] {
            assert_eq!(api_id(Some(query)).ok().as_deref(), id, "{query}");
        }
    }
}
