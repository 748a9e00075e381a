//! The applications by their clients.

use std::collections::HashMap;

use tower_backend_jwt::{Api, Application, Subscription};

use super::document::{self, Document, Status};
use crate::error::Fault;

/// What one version of the file says.
#[derive(Debug, Default)]
pub(super) struct Directory {
    applications: Vec<Entry>,
    /// Issuer and client id, and the place among the applications.
    clients: HashMap<String, HashMap<String, usize>>,
}

#[derive(Debug)]
struct Entry {
    application: Application,
    /// By the name and the version of the API.
    subscriptions: HashMap<(String, String), Application>,
}

impl Directory {
    pub(super) fn new(document: Document) -> Result<Self, Fault> {
        let mut directory = Self::default();
        for (place, entry) in document.applications.into_iter().enumerate() {
            let at = format!("applications[{place}]");
            for (index, client) in entry.clients.iter().enumerate() {
                let clients = directory.clients.entry(client.issuer.clone()).or_default();
                if clients.insert(client.client_id.clone(), place).is_some() {
                    return Err(Fault::new(
                        format!("{at}.clients[{index}].clientId"),
                        "the issuer's client is named twice",
                    ));
                }
            }
            directory.applications.push(Entry::new(entry, &at)?);
        }
        Ok(directory)
    }

    pub(super) fn len(&self) -> usize {
        self.applications.len()
    }

    /// The application of a client, with its subscription to the API if it has one.
    pub(super) fn find(
        &self,
        issuer: &str,
        client_id: &str,
        api: Option<&Api>,
    ) -> Option<Application> {
        let place = self.clients.get(issuer)?.get(client_id)?;
        let entry = self.applications.get(*place)?;
        let subscribed = api.and_then(|api| {
            let api = (api.name().to_owned(), api.version().to_owned());
            entry.subscriptions.get(&api)
        });
        Some(subscribed.unwrap_or(&entry.application).clone())
    }
}

impl Entry {
    fn new(entry: document::Application, at: &str) -> Result<Self, Fault> {
        for (field, text) in [("name", &entry.name), ("uuid", &entry.uuid)] {
            if text.is_empty() {
                return Err(Fault::new(format!("{at}.{field}"), "is empty"));
            }
        }
        let id = entry.id.unwrap_or_else(|| entry.uuid.clone());
        let mut application = Application::new(id, entry.name).with_uuid(entry.uuid);
        if let Some(owner) = entry.owner {
            application = application.with_subscriber(owner);
        }
        if let Some(tier) = entry.tier {
            application = application.with_application_tier(tier);
        }
        for (name, value) in entry.attributes {
            application = application.with_attribute(name, value);
        }
        let mut subscriptions = HashMap::new();
        for (index, subscription) in entry.subscriptions.into_iter().enumerate() {
            let state = match subscription.status {
                Status::Active => Subscription::Active,
                Status::Blocked => Subscription::Blocked,
            };
            let mut subscribed = application.clone().with_subscription(state);
            if let Some(tier) = subscription.tier {
                subscribed = subscribed.with_tier(tier);
            }
            let api = (subscription.api, subscription.version);
            if subscriptions.insert(api, subscribed).is_some() {
                return Err(Fault::new(
                    format!("{at}.subscriptions[{index}]"),
                    "the application is subscribed to this API already",
                ));
            }
        }
        Ok(Self {
            application,
            subscriptions,
        })
    }
}
