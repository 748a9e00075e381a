//! What is the gateway's own, and so no API's: its addresses as an endpoint, and the field that finds loops.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{apk_conf::Api, error::Fault, fold::alike, gateway::Addresses, loops::CDN_LOOP};

/// Where the gateway listens. Clones know the same.
#[derive(Debug, Clone)]
pub(crate) struct Itself(Arc<Mutex<Addresses>>);

impl Itself {
    pub(crate) fn new(addresses: Addresses) -> Self {
        Self(Arc::new(Mutex::new(addresses)))
    }

    /// It listens there: with a port where it was set to 0.
    pub(crate) fn listens_at(&self, addresses: Addresses) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = addresses;
    }

    /// Refuses what can be seen without asking a name server; the rest is seen when a request comes back.
    pub(crate) fn check(&self, api: &Api) -> Result<(), Fault> {
        let Addresses { apis, admin } = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = |why| {
            Err(Fault::new(
                "endpointConfigurations.production.endpoint",
                why,
            ))
        };
        if admin.is_some_and(|admin| api.endpoint.is_at(admin)) {
            return at("is the gateway's own `admin.listen`, which no API leads to");
        }
        if api.endpoint.is_at(apis) {
            return at("is the gateway's own `listen`: its requests would come back");
        }
        let why = format!("`{CDN_LOOP}` is the gateway's own, so that no request goes in a circle");
        if api
            .authentication
            .headers()
            .any(|name| alike(name, &CDN_LOOP))
        {
            return Err(Fault::new("authentication", why));
        }
        let minting = api
            .policies
            .iter()
            .find(|minting| alike(minting.policy.header_name(), &CDN_LOOP));
        match minting {
            Some(minting) => Err(Fault::new(&minting.field, format!("header: {why}"))),
            None => Ok(()),
        }
    }
}
