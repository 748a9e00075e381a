//! Everything put together: settings and apk-confs in, a service out.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use http::{Request, Response};
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};
use tower_jwks::{Algorithm, JwksLayer, KeyRing};

use crate::{
    admin::Admin,
    apk_conf::Api,
    body::{self, Body},
    endpoint::Endpoint,
    error::{Fault, LoadError},
    hop_by_hop::StripHopByHopLayer,
    issuers::Issuers,
    router::Router,
    routes::Routes,
    settings::Settings,
    signing,
    stack::{self, Shared},
    target::Prefix,
    upstream::Upstream,
    yaml,
};

pub(crate) type GatewayService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// A gateway that is ready to serve.
#[derive(Debug)]
pub struct Gateway {
    addresses: Addresses,
    service: GatewayService,
    admin: Admin,
    served: Vec<Served>,
    accepted: Vec<String>,
    signing: (Algorithm, String),
}

/// Where a gateway listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Addresses {
    /// For the APIs.
    pub apis: SocketAddr,
    /// For whoever runs it.
    pub admin: Option<SocketAddr>,
}

/// What is said of an API when the gateway starts.
#[derive(Debug)]
struct Served {
    id: Option<String>,
    name: String,
    version: String,
    paths: Vec<String>,
    endpoint: Endpoint,
}

impl Gateway {
    /// Reads the settings and all that they name, and begins to fetch issuers' keys, without waiting
    /// for them. They are fetched by the tokio runtime in which this is called.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, is wrong, or asks for what this gateway does not do; when keys are
    /// to be fetched and there is no runtime.
    pub fn load(file: &Path) -> Result<Self, LoadError> {
        let settings: Settings = yaml::read(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let addresses = Addresses::new(&settings).map_err(|fault| fault.in_file(file))?;
        let issuers = Arc::new(Issuers::load(settings.issuers, &settings.fetch, file)?);
        let keys =
            signing::key_ring(&settings.signing, folder).map_err(|fault| fault.in_file(file))?;
        let active = keys
            .signing_key()
            .map_err(|error| Fault::new("signing", error).in_file(file))?;

        let environment = settings.environment.as_deref();
        let apis = settings
            .apis
            .iter()
            .map(|path| {
                let path = folder.join(path);
                Ok((Api::read(&path, environment)?, path))
            })
            .collect::<Result<Vec<_>, LoadError>>()?;
        let upstream = upstream(&apis)?;
        let assertions = stack::assertion_headers(apis.iter().map(|(api, _)| api));
        let shared = Shared {
            issuers: &issuers,
            keys: &keys,
            upstream: &upstream,
            assertions: &assertions,
        };
        let mut routes = Routes::new();
        let mut served = Vec::new();
        for (api, path) in apis {
            if api.authentication.credentials.is_empty() {
                tracing::warn!(
                    api = api.name,
                    "authentication is disabled: everyone may call every operation"
                );
            }
            let resources = stack::resources(&api, &path, &shared)?;
            let entry = Served::new(api);
            for place in &entry.paths {
                routes
                    .add(Prefix::new(place), resources.clone())
                    .map_err(|_| {
                        Fault::new("basePath", format!("another API is served at `{place}`"))
                            .in_file(&path)
                    })?;
            }
            served.push(entry);
        }
        Ok(Self {
            addresses,
            service: service(&keys, Router::new(routes)),
            accepted: issuers.describe().collect(),
            admin: Admin::new(issuers, keys),
            served,
            signing: (active.algorithm(), active.kid().to_owned()),
        })
    }

    /// The addresses it is set to listen at.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    pub(crate) fn service(&self) -> GatewayService {
        self.service.clone()
    }

    pub(crate) fn admin(&self) -> &Admin {
        &self.admin
    }

    /// What it serves, for people to read, when it listens at these addresses.
    #[must_use]
    pub fn describe(&self, addresses: Addresses) -> String {
        let address = addresses.apis;
        let mut lines = Vec::new();
        for api in &self.served {
            let id = api
                .id
                .as_ref()
                .map(|id| format!(" ({id})"))
                .unwrap_or_default();
            lines.push(format!("{} {}{id}", api.name, api.version));
            lines.extend(
                api.paths
                    .iter()
                    .map(|path| format!("  http://{address}{path} -> {}", api.endpoint)),
            );
        }
        lines.extend(self.accepted.iter().cloned());
        lines.push(format!("keys at http://{address}/.wellknown/jwks"));
        if let Some(admin) = addresses.admin {
            lines.push(format!(
                "admin at http://{admin} (/healthz, /readyz, /issuers)"
            ));
        }
        let (algorithm, kid) = &self.signing;
        lines.push(format!("signing with {algorithm}, kid {kid}"));
        lines.join("\n")
    }
}

impl Addresses {
    fn new(settings: &Settings) -> Result<Self, Fault> {
        let apis = settings.listen;
        let admin = settings.admin.as_ref().map(|admin| admin.listen);
        if let Some(admin) = admin {
            // Port 0 is another one each time.
            if admin == apis && admin.port() != 0 {
                return Err(Fault::new(
                    "admin.listen",
                    "the APIs are served there; choose another address",
                ));
            }
            if !admin.ip().is_loopback() {
                tracing::warn!(
                    address = %admin,
                    "admin.listen is not a loopback address: whoever reaches it may read what is there, as there is no authentication"
                );
            }
        }
        Ok(Self { apis, admin })
    }
}

impl Served {
    fn new(api: Api) -> Self {
        let paths = [api.context].into_iter().chain(api.default_path).collect();
        Self {
            id: api.id,
            name: api.name,
            version: api.version,
            paths,
            endpoint: api.endpoint,
        }
    }
}

/// What every request passes, from the outside in.
fn service(keys: &KeyRing, router: Router) -> GatewayService {
    let layers = ServiceBuilder::new()
        .layer(JwksLayer::new(keys.clone()))
        // Outside of everything that sets a header: see the module.
        .layer(StripHopByHopLayer);
    BoxCloneSyncService::new(
        layers
            .service(router)
            .map_response(|response| response.map(body::boxed)),
    )
}

/// One client for all; the certificate authorities are read only if somebody needs them.
fn upstream(apis: &[(Api, PathBuf)]) -> Result<Upstream, LoadError> {
    let https = apis.iter().find(|(api, _)| api.endpoint.is_https());
    Upstream::new(https.is_some()).map_err(|error| {
        let fault = Fault::new(
            "endpointConfigurations.production.endpoint",
            format!("https needs the certificate authorities of the system: {error}"),
        );
        fault.in_file(https.map_or(Path::new(""), |(_, path)| path))
    })
}
