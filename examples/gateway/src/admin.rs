//! How the gateway is, for whoever runs it: `/healthz`, `/readyz`, `/issuers`, `/applications`, `/keys` and
//! `/caches`, at an address of their own.
//!
//! Whoever reaches the address may read them: there is no authentication. They hold names, times and
//! counts, and nothing of a token or a private key. The [`deployer`] is at the same address, and asks
//! for a token. Both ask to be called by an address, or by a name that is the gateway's: see [`hosts`].
//!
//! [`hosts`]: crate::hosts

use std::{
    convert::Infallible,
    future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde::Serialize;
use serde_json::json;
use tower::{Service, ServiceExt, util::BoxCloneSyncService};
use tower_jwks::{Clock, KeyRing, SystemClock};

use crate::{
    applications::Applications,
    body::{self, Body},
    caches::Caches,
    deployer,
    gateway::GatewayService,
    hosts::Hosts,
    issuers::{IssuerStatus, Issuers},
};

/// The most issuers that `/readyz` names, and the longest name.
const MOST_MISSING: usize = 16;
const LONGEST_NAME: usize = 200;

/// What there is to tell. Clones tell the same.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    issuers: Arc<Issuers>,
    keys: KeyRing,
    caches: Caches,
    applications: Option<Applications>,
    deployer: Option<GatewayService>,
    hosts: Hosts,
    ending: Arc<AtomicBool>,
}

impl Admin {
    pub(crate) fn new(
        issuers: Arc<Issuers>,
        keys: KeyRing,
        caches: Caches,
        applications: Option<Applications>,
        deployer: Option<GatewayService>,
        hosts: Hosts,
    ) -> Self {
        Self {
            issuers,
            keys,
            caches,
            applications,
            deployer,
            hosts,
            ending: Arc::default(),
        }
    }

    pub(crate) fn service(&self) -> GatewayService {
        BoxCloneSyncService::new(self.clone())
    }

    /// From now on it is not ready: who balances the load is to take others.
    pub(crate) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }

    fn answer(&self, request: &Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        if !matches!(
            path,
            "/healthz" | "/readyz" | "/issuers" | "/applications" | "/keys" | "/caches"
        ) {
            let mut text =
                "here are /healthz, /readyz, /issuers, /applications, /keys and /caches".to_owned();
            if self.deployer.is_some() {
                text += ", and the calls under ";
                text += deployer::PATH;
            } else if deployer::is_for(path) {
                text += "; APIs can be deployed when admin.audience and admin.apis_dir are set";
            }
            text.push('\n');
            return text_of(StatusCode::NOT_FOUND, text, request.method());
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let text = "here is nothing to change\n".to_owned();
            let mut response = text_of(StatusCode::METHOD_NOT_ALLOWED, text, request.method());
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match path {
            "/healthz" => text_of(StatusCode::OK, "ok\n".to_owned(), request.method()),
            "/readyz" => self.ready(request.method()),
            "/keys" => written(&self.keys.status(), request.method()),
            "/caches" => written(&self.caches.status(), request.method()),
            "/applications" => {
                let status = self.applications.as_ref().map(Applications::status);
                written(&status, request.method())
            }
            _ => {
                let statuses: Vec<_> = self.issuers.statuses().collect();
                written(&statuses, request.method())
            }
        }
    }

    fn ready(&self, method: &Method) -> Response<Body> {
        let ending = self.ending.load(Ordering::Relaxed);
        let no_signer = self.no_signer();
        let (with_keys, without): (Vec<_>, Vec<_>) =
            self.issuers.statuses().partition(IssuerStatus::is_ready);
        // One issuer's trouble is not the others': a balancer that took every gateway out for it
        // would leave none.
        let serves_somebody = !with_keys.is_empty() || without.is_empty();
        let ready = !ending && no_signer.is_none() && serves_somebody;

        let mut missing = Vec::new();
        if ending {
            missing.push("the gateway is ending".to_owned());
        }
        missing.extend(no_signer);
        missing.extend(without.iter().take(MOST_MISSING).map(|status| {
            let name: String = status.issuer().chars().take(LONGEST_NAME).collect();
            format!("the keys of {name} are not there")
        }));
        if let Some(more @ 1..) = without.len().checked_sub(MOST_MISSING) {
            missing.push(format!("the keys of {more} more are not there"));
        }
        let status = if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let json = json!({ "ready": ready, "missing": missing });
        json_of(status, format!("{json}\n"), method)
    }

    /// Why nothing can be signed now, if that is so.
    fn no_signer(&self) -> Option<String> {
        match self.keys.signing_key() {
            Err(error) => Some(format!("no key may sign: {error}")),
            // A certificate may have ended since the start.
            Ok(key) if key.not_after().is_some_and(|end| end <= SystemClock.now()) => {
                Some("no key may sign: the certificate of the one there is has ended".to_owned())
            }
            Ok(_) => None,
        }
    }
}

/// A state, for people to read and programs as well.
fn written(state: &impl Serialize, method: &Method) -> Response<Body> {
    match serde_json::to_string_pretty(state) {
        Ok(json) => json_of(StatusCode::OK, json + "\n", method),
        Err(error) => {
            tracing::error!(%error, "a state cannot be written as JSON");
            let text = "the gateway has failed\n".to_owned();
            text_of(StatusCode::INTERNAL_SERVER_ERROR, text, method)
        }
    }
}

impl Service<Request<Body>> for Admin {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if !self.hosts.allow(&request) {
            let answer = misdirected(request.method());
            return Box::pin(future::ready(Ok(answer)));
        }
        match &self.deployer {
            Some(deployer) if deployer::is_for(request.uri().path()) => {
                Box::pin(deployer.clone().oneshot(request))
            }
            _ => Box::pin(future::ready(Ok(self.answer(&request)))),
        }
    }
}

fn misdirected(method: &Method) -> Response<Body> {
    let text =
        "this address answers to an IP address, to localhost, and to the names in admin.hosts\n";
    text_of(StatusCode::MISDIRECTED_REQUEST, text.to_owned(), method)
}

fn text_of(status: StatusCode, text: String, method: &Method) -> Response<Body> {
    response(status, "text/plain; charset=utf-8", text, method)
}

fn json_of(status: StatusCode, json: String, method: &Method) -> Response<Body> {
    response(status, "application/json", json, method)
}

fn response(
    status: StatusCode,
    media_type: &'static str,
    content: String,
    method: &Method,
) -> Response<Body> {
    let length = HeaderValue::from(content.len());
    // hyper leaves it off in HTTP/1.1, but not in HTTP/2.
    let content = if *method == Method::HEAD {
        String::new()
    } else {
        content
    };
    let mut response = Response::new(body::full(content));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    fields.insert(header::CONTENT_LENGTH, length);
    // The state now, and of this gateway.
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
