//! Everything put together: settings and apk-confs in, a service out.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use http::{Request, Response};
use tokio::runtime::Handle;
use tower::{ServiceBuilder, util::BoxCloneSyncService};
use tower_backend_jwt::{ApplicationLayer, RefusalFormat};
use tower_jwks::{Jwks, JwksLayer, KeyRing};

use crate::{
    admin::Admin,
    apis::Apis,
    apk_conf::Api,
    applications::Applications,
    body::Body,
    caches::Caches,
    deployer::{self, Deployer, Store},
    error::{Fault, LoadError},
    hop_by_hop::{StripHopByHop, StripHopByHopLayer},
    hosts::Hosts,
    issuers::Issuers,
    itself::Itself,
    loops::{DetectLoops, Pseudonym},
    printable::printable,
    router::Router,
    settings::{AdminSettings, Settings},
    signing::{self, Signing},
    table::{Common, Origin, Served, Table},
    warnings::warn,
    yaml,
};

/// What is at the admin address.
pub(crate) type GatewayService = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// What every request for an API passes.
type ApiService = Jwks<StripHopByHop<Router>>;

/// A gateway that is ready to serve.
#[derive(Debug)]
pub struct Gateway {
    addresses: Addresses,
    itself: Itself,
    pseudonym: Pseudonym,
    apis: Arc<Apis>,
    service: ApiService,
    admin: Admin,
    /// Where deployed APIs are kept.
    store: Option<Store>,
    accepted: Vec<String>,
    /// What signs, for people to read.
    signing: String,
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

impl Gateway {
    /// Reads the settings and all that they name, opens the ring of keys, which is made if there is none,
    /// and begins to fetch issuers' keys, without waiting for them. They are fetched by the tokio runtime in
    /// which this is called.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, is wrong, or asks for what this gateway does not do, or when the ring cannot
    /// be opened.
    pub async fn load(file: &Path) -> Result<Self, LoadError> {
        let settings: Settings = yaml::read(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let signing = signing::open(&settings.signing, folder).await;
        Self::new(settings, file, signing)
    }

    /// The same, to see what would be served: a ring is not made or changed. Nothing is sent anywhere, as long
    /// as the runtime runs nothing else after this.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub async fn check(file: &Path) -> Result<Self, LoadError> {
        let settings: Settings = yaml::read(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let signing = signing::check(&settings.signing, folder).await;
        Self::new(settings, file, signing)
    }

    fn new(
        settings: Settings,
        file: &Path,
        signing: Result<Signing, Fault>,
    ) -> Result<Self, LoadError> {
        let folder = file.parent().unwrap_or(Path::new(""));
        let addresses = Addresses::new(&settings).map_err(|fault| fault.in_file(file))?;
        let itself = Itself::new(addresses);
        let pseudonym = Pseudonym::random()
            .map_err(|_| Fault::new("", "the system has no random numbers").in_file(file))?;
        let issuers = Arc::new(Issuers::load(settings.issuers, &settings.fetch, file)?);
        let Signing { keys, said } = signing.map_err(|fault| fault.in_file(file))?;

        let caches =
            Caches::new(&settings.cache, keys.clone()).map_err(|fault| fault.in_file(file))?;

        let environment = settings.environment.as_deref();
        let store = store(settings.admin.as_ref(), folder).map_err(|fault| fault.in_file(file))?;
        let named = match (settings.apis, &store) {
            (Some(apis), _) => apis,
            (None, Some(_)) => Vec::new(),
            (None, None) => {
                let fault = Fault::new("apis", "missing, and without admin.apis_dir none can come");
                return Err(fault.in_file(file));
            }
        };
        let named = named
            .iter()
            .map(|path| read(folder.join(path), environment, &itself))
            .collect::<Result<_, _>>()?;
        let deployed = match &store {
            None => Vec::new(),
            Some(store) => store
                .read(environment)
                .map_err(|error| Fault::new("admin.apis_dir", error).in_file(file))?,
        };
        let applications = settings
            .applications
            .map(|path| Applications::load(&folder.join(path)))
            .transpose()?;
        if let Some(applications) = &applications
            && let Ok(runtime) = Handle::try_current()
        {
            applications.watch(&runtime);
        }
        let common = Common {
            issuers: Arc::clone(&issuers),
            applications: applications.clone().map(|applications| {
                // It is in memory: to remember what it said would make it late.
                let layer = ApplicationLayer::new(applications).no_cache();
                layer.refusal_format(RefusalFormat::Wso2)
            }),
            tokens: caches.tokens().cloned(),
            itself: itself.clone(),
        };
        let table = Table::new(common, caches.policies(), named, deployed)?;
        for served in table.served() {
            warn(&served.api);
        }
        for broken in table.broken() {
            let error = broken.error.to_string();
            tracing::error!(error, "a deployed API is not served");
        }
        let apis = Arc::new(Apis::new(table));
        let (audience, deployers, hosts) = match settings.admin {
            Some(admin) => (admin.audience, admin.issuers, admin.hosts),
            None => (None, None, Vec::new()),
        };
        let hosts = Hosts::new(hosts).map_err(|fault| fault.in_file(file))?;
        let deployer = match (&store, audience) {
            (Some(store), Some(audience)) => {
                let deployer =
                    Deployer::new(Arc::clone(&apis), store.clone(), settings.environment);
                let verifier = issuers
                    .deployers(deployers.as_deref(), audience)
                    .map_err(|fault| fault.in_file(file))?;
                Some(deployer::service(deployer, verifier).map_err(|fault| fault.in_file(file))?)
            }
            _ => None,
        };
        Ok(Self {
            addresses,
            itself,
            pseudonym,
            service: service(&keys, Router::new(Arc::clone(&apis))),
            apis,
            accepted: issuers.describe().collect(),
            admin: Admin::new(issuers, keys, caches, applications, deployer, hosts),
            store,
            signing: said,
        })
    }

    /// The addresses it is set to listen at.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// How many of the deployed APIs are not served, because their files are wrong.
    #[must_use]
    pub fn broken(&self) -> usize {
        self.apis.table().broken().len()
    }

    pub(crate) fn service(&self) -> DetectLoops<ApiService> {
        self.pseudonym.guard(self.service.clone())
    }

    /// What is at the admin address; no API leads there.
    pub(crate) fn admin_service(&self) -> DetectLoops<GatewayService> {
        self.pseudonym.guard(self.admin.service())
    }

    /// It listens at these addresses from now on.
    pub(crate) fn listens_at(&self, addresses: Addresses) {
        self.itself.listens_at(addresses);
    }

    pub(crate) fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Makes what has to be there while it serves, and need not be there before: the directory of the
    /// deployed APIs.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        self.store.as_ref().map_or(Ok(()), Store::make)
    }

    /// What it serves, for people to read, when it listens at these addresses.
    #[must_use]
    pub fn describe(&self, addresses: Addresses) -> String {
        let address = addresses.apis;
        let table = self.apis.table();
        let mut lines = Vec::new();
        for served in table.served() {
            let api = &served.api;
            let id = api
                .id
                .as_ref()
                .map(|id| format!(" ({id})"))
                .unwrap_or_default();
            let deployed = if served.is_deployed() {
                ", deployed"
            } else {
                ""
            };
            lines.push(format!("{} {}{id}{deployed}", api.name, api.version));
            lines.extend(
                api.paths()
                    .map(|path| format!("  http://{address}{path} -> {}", api.endpoint)),
            );
        }
        for broken in table.broken() {
            lines.push(format!("not served: {}", broken.error));
        }
        lines.extend(self.accepted.iter().cloned());
        lines.push(format!("keys at http://{address}/.wellknown/jwks"));
        if let Some(admin) = addresses.admin {
            lines.push(format!(
                "admin at http://{admin} (/healthz, /readyz, /issuers, /applications, /keys, /caches)"
            ));
            if let Some(store) = &self.store {
                lines.push(format!(
                    "deployer at http://{admin}{}, kept in {}",
                    deployer::PATH,
                    store.directory().display()
                ));
            }
        }
        lines.push(self.signing.clone());
        let lines: Vec<_> = lines.iter().map(|line| printable(line)).collect();
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
                if settings
                    .admin
                    .as_ref()
                    .is_some_and(|admin| admin.apis_dir.is_some())
                {
                    tracing::warn!(
                        address = %admin,
                        "tokens that deploy APIs come to admin.listen over plain http"
                    );
                }
            }
        }
        Ok(Self { apis, admin })
    }
}

/// Where deployed APIs are kept, if any can be deployed.
fn store(admin: Option<&AdminSettings>, folder: &Path) -> Result<Option<Store>, Fault> {
    let Some(admin) = admin else {
        return Ok(None);
    };
    match (admin.audience.as_deref(), admin.apis_dir.as_ref()) {
        (None, None) if admin.issuers.is_some() => Err(Fault::new(
            "admin.issuers",
            "is for tokens that deploy APIs, and there is neither `audience` nor `apis_dir`",
        )),
        (None, None) => Ok(None),
        (Some(""), _) => Err(Fault::new("admin.audience", "is empty")),
        (Some(_), Some(directory)) => Ok(Some(Store::new(folder.join(directory)))),
        (Some(_), None) => Err(Fault::new(
            "admin.apis_dir",
            "missing; `audience` is for tokens that deploy APIs, and they have to be kept somewhere",
        )),
        (None, Some(_)) => Err(Fault::new(
            "admin.audience",
            "missing; APIs are deployed with access tokens, which have to be for somebody",
        )),
    }
}

/// Reads the file of an API that the settings name.
fn read(file: PathBuf, environment: Option<&str>, itself: &Itself) -> Result<Served, LoadError> {
    let conf = yaml::text(&file)?;
    let api = Api::from_yaml(&conf, &file, environment)?;
    itself.check(&api).map_err(|fault| fault.in_file(&file))?;
    Ok(Served {
        id: deployer::id_of(&api),
        api,
        origin: Origin::Settings,
        file,
        conf,
    })
}

/// What every request passes, from the outside in.
fn service(keys: &KeyRing, router: Router) -> ApiService {
    ServiceBuilder::new()
        .layer(JwksLayer::new(keys.clone()))
        // Outside of everything that sets a header: see the module.
        .layer(StripHopByHopLayer)
        .service(router)
}
