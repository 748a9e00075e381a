//! The APIs that are served at one time, and the routes to their operations. A table never changes: a
//! deploy makes another.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tower_backend_jwt::{ApplicationLayer, PolicySet, TokenCache};

use crate::{
    apk_conf::Api,
    conflict::{self, Conflict},
    error::{Fault, LoadError},
    issuers::Issuers,
    itself::Itself,
    operation::Operation,
    routes::{Resources, Routes},
    stack::{self, Shared},
    target::Prefix,
    upstream::Upstream,
};

/// What is served.
#[derive(Debug)]
pub(crate) struct Table {
    common: Arc<Common>,
    upstream: Upstream,
    served: Vec<Arc<Served>>,
    broken: Vec<Arc<Broken>>,
    policies: PolicySet,
    routes: Routes<Operation>,
}

/// What no deploy changes.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) issuers: Arc<Issuers>,
    pub(crate) applications: Option<ApplicationLayer>,
    pub(crate) tokens: Option<TokenCache>,
    pub(crate) itself: Itself,
}

/// An API, and where it comes from.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) id: String,
    pub(crate) api: Api,
    pub(crate) origin: Origin,
    pub(crate) file: PathBuf,
    /// The apk-conf as text.
    pub(crate) conf: String,
}

/// Who has an API served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `gateway.yaml` names its file.
    Settings,
    /// It was deployed; with a definition, if there is one, in this file.
    Deployed { definition: Option<PathBuf> },
}

/// A file of a deployed API that cannot be served.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Nothing if no API could have such a file.
    pub(crate) id: Option<String>,
    pub(crate) error: LoadError,
}

/// Why an API is not served.
#[derive(Debug)]
pub(crate) enum NotServed {
    /// Its own fault, or the system's.
    Fault(LoadError),
    /// Not beside this other API.
    Conflict(Conflict),
    /// Another API, which no deploy may replace, has this id or one that differs only in case.
    IdTaken(Arc<Served>),
}

impl Table {
    /// The table to start with; `policies` are none yet. What is wrong with an API of the settings is an error; a deployed one is
    /// left out for it.
    pub(crate) fn new(
        common: Common,
        policies: &PolicySet,
        settings: Vec<Served>,
        deployed: Vec<Result<Served, Broken>>,
    ) -> Result<Self, LoadError> {
        let mut upstream = Upstream::plain();
        for (place, served) in settings.iter().enumerate() {
            let others = settings.iter().take(place).map(|other| &other.api);
            if let Some(conflict) = conflict::among(&served.api, others) {
                return Err(conflict.fault().in_file(&served.file));
            }
            upstream = reaching(&served.api, &served.file, &upstream)?;
        }
        let settings: Vec<_> = settings.into_iter().map(Arc::new).collect();
        let mut table = Self::of(Arc::new(common), policies, upstream, settings, Vec::new())?;
        for file in deployed {
            let admitted = file.and_then(|served| match table.check_and_admit(&served) {
                Ok(upstream) => Ok((served, upstream)),
                Err(why) => Err(Broken {
                    error: why.in_file(&served),
                    id: Some(served.id),
                }),
            });
            match admitted {
                Ok((served, upstream)) => {
                    table.upstream = upstream;
                    table.served.push(Arc::new(served));
                }
                Err(broken) => table.broken.push(Arc::new(broken)),
            }
        }
        Self::of(
            table.common,
            &table.policies,
            table.upstream,
            table.served,
            table.broken,
        )
    }

    /// The table with this API, instead of the one with the same id if there is one. The API has to be a
    /// [checked](Self::check) one.
    pub(crate) fn with(&self, served: Arc<Served>) -> Result<Self, NotServed> {
        let upstream = self.admit(&served)?;
        let (mut all, broken) = self.others(&served.id);
        all.push(served);
        self.changed(upstream, all, broken)
            .map_err(NotServed::Fault)
    }

    /// The table without what has this id.
    pub(crate) fn without(&self, id: &str) -> Result<Self, LoadError> {
        let (all, broken) = self.others(id);
        self.changed(self.upstream.clone(), all, broken)
    }

    /// Whether the API could be served if there were no others.
    pub(crate) fn check(&self, api: &Api, file: &Path) -> Result<(), LoadError> {
        let own = self.common.itself.check(api);
        own.map_err(|fault| fault.in_file(file))?;
        let upstream = reaching(api, file, &self.upstream)?;
        let policies = policies(&[(api, file)], &self.policies)?;
        let shared = Shared {
            issuers: &self.common.issuers,
            policies: &policies,
            applications: self.common.applications.as_ref(),
            // Nobody calls the operations of this one.
            tokens: None,
            upstream: &upstream,
            assertions: &stack::assertion_headers([api]),
        };
        stack::resources(api, file, &shared).map(drop)
    }

    pub(crate) fn routes(&self) -> &Routes<Operation> {
        &self.routes
    }

    pub(crate) fn served(&self) -> &[Arc<Served>] {
        &self.served
    }

    pub(crate) fn broken(&self) -> &[Arc<Broken>] {
        &self.broken
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Arc<Served>> {
        self.served.iter().find(|served| served.id == id)
    }

    fn changed(
        &self,
        upstream: Upstream,
        served: Vec<Arc<Served>>,
        broken: Vec<Arc<Broken>>,
    ) -> Result<Self, LoadError> {
        let common = Arc::clone(&self.common);
        Self::of(common, &self.policies, upstream, served, broken)
    }

    /// `past` are the policies of the table before: what stays as it was keeps the JWTs that were minted
    /// after it.
    fn of(
        common: Arc<Common>,
        past: &PolicySet,
        upstream: Upstream,
        served: Vec<Arc<Served>>,
        broken: Vec<Arc<Broken>>,
    ) -> Result<Self, LoadError> {
        // Before anything is made of them: a policy is known by the path of its API.
        placed(&served, |_| Ok(Resources::<()>::new()))?;
        let apis: Vec<_> = served
            .iter()
            .map(|served| (&served.api, served.file.as_path()))
            .collect();
        let policies = policies(&apis, past)?;
        let shared = Shared {
            issuers: &common.issuers,
            policies: &policies,
            applications: common.applications.as_ref(),
            tokens: common.tokens.as_ref(),
            upstream: &upstream,
            assertions: &stack::assertion_headers(served.iter().map(|served| &served.api)),
        };
        let routes = placed(&served, |served| {
            stack::resources(&served.api, &served.file, &shared)
        })?;
        Ok(Self {
            routes,
            common,
            policies,
            upstream,
            served,
            broken,
        })
    }

    fn check_and_admit(&self, served: &Served) -> Result<Upstream, NotServed> {
        self.check(&served.api, &served.file)
            .map_err(NotServed::Fault)?;
        self.admit(served)
    }

    /// Whether the API can be served beside the others, and what it is reached through then.
    fn admit(&self, served: &Served) -> Result<Upstream, NotServed> {
        // They may differ only in case: some file systems take the one's file for the other's.
        let is_taken = |other: &&Arc<Served>| {
            other.id.eq_ignore_ascii_case(&served.id) && !served.may_replace(other)
        };
        if let Some(other) = self.served.iter().find(is_taken) {
            return Err(NotServed::IdTaken(Arc::clone(other)));
        }
        let others = self.served.iter().filter(|other| other.id != served.id);
        let mut others = others.map(|other| &other.api);
        let conflict = conflict::among(&served.api, others.clone())
            .or_else(|| others.find_map(|other| conflict::between(&served.api, other)));
        if let Some(conflict) = conflict {
            return Err(NotServed::Conflict(conflict));
        }
        reaching(&served.api, &served.file, &self.upstream).map_err(NotServed::Fault)
    }

    fn others(&self, id: &str) -> (Vec<Arc<Served>>, Vec<Arc<Broken>>) {
        let served = self.served.iter().filter(|served| served.id != id);
        let broken = self.broken.iter();
        let broken = broken.filter(|broken| broken.id.as_deref() != Some(id));
        (served.cloned().collect(), broken.cloned().collect())
    }
}

impl Served {
    pub(crate) fn is_deployed(&self) -> bool {
        self.origin != Origin::Settings
    }

    /// Whether the other one is deployed, and has this one's id. An id that is made of name and version is
    /// that of another API as well: `a-1` and `2` give the same as `a` and `1-2`.
    fn may_replace(&self, other: &Self) -> bool {
        let has_own_id = self.api.id.is_some();
        let is_same = self.api.name == other.api.name && self.api.version == other.api.version;
        other.is_deployed() && other.id == self.id && (has_own_id || is_same)
    }

    /// The file of its definition.
    pub(crate) fn definition(&self) -> Option<&Path> {
        match &self.origin {
            Origin::Settings => None,
            Origin::Deployed { definition } => definition.as_deref(),
        }
    }
}

impl NotServed {
    fn in_file(self, served: &Served) -> LoadError {
        match self {
            Self::Fault(error) => error,
            Self::Conflict(conflict) => conflict.fault().in_file(&served.file),
            Self::IdTaken(other) => {
                let why = format!("the API `{}` has the id `{}`", other.api.name, other.id);
                Fault::new("id", why).in_file(&served.file)
            }
        }
    }
}

/// What `make` makes of each API, at the paths of the API.
fn placed<T: Clone>(
    all: &[Arc<Served>],
    make: impl Fn(&Served) -> Result<Resources<T>, LoadError>,
) -> Result<Routes<T>, LoadError> {
    let mut routes = Routes::new();
    for served in all {
        let resources = make(served)?;
        for path in served.api.paths() {
            routes
                .add(Prefix::new(path), resources.clone())
                .map_err(|_| {
                    Fault::new("basePath", format!("another API is served at `{path}`"))
                        .in_file(&served.file)
                })?;
        }
    }
    Ok(routes)
}

/// The policies of these APIs.
fn policies(apis: &[(&Api, &Path)], past: &PolicySet) -> Result<PolicySet, LoadError> {
    let all = apis.iter().flat_map(|(api, _)| stack::policies(api));
    past.successor(all).map_err(|error| {
        let error = error.to_string();
        let named = apis.iter().find_map(|(api, file)| {
            let (minting, what) = stack::policy_in(api, &error)?;
            Some(Fault::new(&minting.field, in_conf(what)).in_file(file))
        });
        named.unwrap_or_else(|| Fault::new("apiPolicies", &error).in_file(Path::new("")))
    })
}

/// In the words of an apk-conf.
fn in_conf(what: &str) -> String {
    match what.split_once(": ") {
        Some(("ttl", why)) => format!("parameters.tokenTTL: {why}"),
        Some(("algorithm", why)) => format!("parameters.signingAlgorithm: {why}"),
        _ => what.to_owned(),
    }
}

/// One client for all APIs; the certificate authorities are read when the first one needs them.
fn reaching(api: &Api, file: &Path, upstream: &Upstream) -> Result<Upstream, LoadError> {
    if upstream.has_tls() || !api.endpoint.is_https() {
        return Ok(upstream.clone());
    }
    upstream.with_tls().map_err(|error| {
        let fault = Fault::new(
            "endpointConfigurations.production.endpoint",
            format!("https needs the certificate authorities of the system: {error}"),
        );
        fault.in_file(file)
    })
}
