//! WSO2 APK's deployment API, at the admin address: APIs come, change and go while the gateway serves.
//!
//! | call, under `/api/deployer/1.2.0` or `/api/deployer` | |
//! |---|---|
//! | `POST /apis/deploy` | `multipart/form-data` with the file `apkConfiguration` and, if there is one, `definitionFile` |
//! | `POST /apis/undeploy?apiId=ID` | |
//! | `GET /apis` | what is served, and the files of the directory that cannot be |
//! | `GET /apis/ID` | its apk-conf |
//! | `GET /apis/ID/definition` | its definition, as it was sent |
//!
//! Each asks for an access token with the scope `apk:api_create`, and looks at nothing else before. Few
//! deploys are in memory at one time ([`uploads`]).
//!
//! A deploy happens as a whole or not at all: what could be wrong with the API, alone and beside the
//! others, is found out first; then its file is written, then the table is replaced. Requests in flight
//! finish with what they started with.
//!
//! An API takes nothing from another one: no path in or around the other's, unless they are versions of the
//! same API, and no id. All together name at most 64 headers for backend JWTs.
//!
//! The answers are those of APK 1.2, whose codes are numbers here, and strings where a token is refused.
//! What APK does not have is answered in the same form, with the HTTP status for a code.

mod answer;
mod caller;
mod conf;
mod draft;
mod faults;
mod id;
mod multipart;
mod service;
mod store;
mod uploads;

use std::{collections::BTreeMap, path::Path, str, sync::Arc};

use self::{
    answer::Refusal,
    conf::Conf,
    faults::{collect, one, pointer_of},
    multipart::Form,
    uploads::Uploads,
};
pub(crate) use self::{
    id::id_of,
    service::{PATH, is_for, service},
    store::Store,
};
use crate::{
    apis::Apis,
    apk_conf::Api,
    conflict::Conflict,
    error::{Fault, LoadError},
    table::{NotServed, Origin, Served},
    warnings::warn,
};

/// What changes the APIs that are served.
#[derive(Debug)]
pub(crate) struct Deployer {
    apis: Arc<Apis>,
    store: Store,
    environment: Option<String>,
    uploads: Uploads,
}

impl Deployer {
    pub(crate) fn new(apis: Arc<Apis>, store: Store, environment: Option<String>) -> Self {
        Self {
            apis,
            store,
            environment,
            uploads: Uploads::default(),
        }
    }

    /// Serves the API of a form. Blocks: files are written.
    fn deploy(&self, form: &Form) -> Result<Arc<Served>, Refusal> {
        let conf = parse(&form.conf)?;
        // Before it has its turn: others need not wait for what is wrong with it to be found.
        let served = Arc::new(self.read(conf, form.definition.as_deref())?);
        self.apis.change(|table| {
            let next = table
                .with(Arc::clone(&served))
                .map_err(|why| not_served(why, &served))?;
            self.store
                .put(&served, form.definition.as_deref())
                .map_err(Refusal::NotStored)?;
            Ok((next, ()))
        })?;
        warn(&served.api);
        Ok(served)
    }

    /// Serves the API no more; none was served if its file was broken. Blocks: files are removed.
    fn undeploy(&self, id: &str) -> Result<Option<Arc<Served>>, Refusal> {
        self.apis.change(|table| {
            let served = table.find(id);
            if served.is_some_and(|served| !served.is_deployed()) {
                return Err(Refusal::Named(id.to_owned()));
            }
            let is_broken = |id| {
                let mut broken = table.broken().iter();
                broken.any(|broken| broken.id.as_deref() == Some(id))
            };
            if served.is_none() && !is_broken(id) {
                return Err(Refusal::Unknown(id.to_owned()));
            }
            let next = table
                .without(id)
                .map_err(|error| Refusal::Failed(error.to_string()))?;
            self.store.remove(id).map_err(Refusal::NotStored)?;
            Ok((next, served.cloned()))
        })
    }

    /// The API of a conf, if it can be served when there are no others.
    fn read(&self, mut conf: Conf, definition: Option<&[u8]>) -> Result<Served, Refusal> {
        let environment = self.environment.as_deref();
        let api =
            collect(conf.node(), |value| api(value, environment)).map_err(|faults| match faults
                .len()
            {
                1 if conf.has_no_operations() => Refusal::NoOperations,
                _ => Refusal::Faults(faults),
            })?;
        // Only the first fault: to look for more is to make the layers of all operations again for each.
        let table = Arc::clone(&self.apis.table());
        table
            .check(&api, Path::new(NO_FILE))
            .map_err(|error| Refusal::Faults(one(conf.node(), &own_fault(error))))?;
        let id = id_of(&api);
        conf.set_id(&id);
        let text = conf.to_yaml().map_err(|why| Refusal::wrong("", why))?;
        Ok(Served {
            origin: Origin::Deployed {
                definition: definition.map(|bytes| self.store.definition_file(&id, bytes)),
            },
            file: self.store.file(&id),
            id,
            api,
            conf: text,
        })
    }
}

/// A conf that came in a request.
const NO_FILE: &str = "";

/// A fault as one of the conf. If it is in the settings, it is what the conf asks of the issuers.
fn own_fault(error: LoadError) -> Fault {
    if error.file() == Path::new(NO_FILE) {
        return error.into_fault();
    }
    Fault::new("authentication", error.into_fault())
}

/// Takes the text of a conf apart.
fn parse(text: &[u8]) -> Result<Conf, Refusal> {
    let text = str::from_utf8(text).map_err(|_| Refusal::wrong("", "is not UTF-8"))?;
    Conf::parse(text, Path::new(NO_FILE)).map_err(|error| {
        let fault = error.into_fault();
        Refusal::wrong(fault.field(), fault.message())
    })
}

fn api(conf: serde_json::Value, environment: Option<&str>) -> Result<Api, Fault> {
    let api = Api::from_value(conf, environment)?;
    if let Some(id) = &api.id {
        id::check(id).map_err(|why| Fault::new("id", why))?;
    }
    Ok(api)
}

fn not_served(why: NotServed, served: &Served) -> Refusal {
    match why {
        NotServed::Fault(error) => {
            let fault = error.into_fault();
            Refusal::wrong(fault.field(), fault.message())
        }
        NotServed::Conflict(Conflict::Path { path, why }) => Refusal::PathTaken { path, why },
        NotServed::Conflict(Conflict::Header(fault)) => Refusal::Conflict(BTreeMap::from([(
            pointer_of(fault.field()),
            fault.message().to_owned(),
        )])),
        NotServed::IdTaken(other) if other.is_deployed() && other.id == served.id => {
            let (name, version) = (&other.api.name, &other.api.version);
            Refusal::SameId(format!("`{name}` `{version}`"))
        }
        NotServed::IdTaken(other) if other.is_deployed() => Refusal::AlikeId(other.id.clone()),
        NotServed::IdTaken(other) => Refusal::Named(other.id.clone()),
    }
}
