//! The application through which an API is called.

use std::{collections::BTreeMap, fmt};

/// The application through which an API is called, and its subscription: what the backend JWT says
/// of both.
///
/// Whoever knows it puts it into the request's extensions, between
/// [`AccessTokenLayer`](crate::AccessTokenLayer) and
/// [`BackendJwtLayer`](crate::BackendJwtLayer). What is not set is not said.
///
/// ```
/// use tower_backend_jwt::Application;
///
/// let application = Application::new("45101ccb-865f-4f48-b7ac-18e43b07edd3", "jwtTest2")
///     .subscriber("5f4a7105-a889-4f92-9612-eef5bafe4eec")
///     .tier("Unlimited");
/// # let mut request = http::Request::new(());
/// request.extensions_mut().insert(application);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct Application {
    pub(super) id: String,
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) subscriber: Option<String>,
    pub(super) application_tier: Option<String>,
    pub(super) tier: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
}

impl Application {
    /// An application by its id and name (`applicationid`, `applicationname`). Its UUID is its id.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        let id = id.into();
        Self {
            uuid: id.clone(),
            id,
            name: name.into(),
            subscriber: None,
            application_tier: None,
            tier: None,
            attributes: BTreeMap::new(),
        }
    }

    /// Its UUID, where that is not its id (`applicationUUId`).
    pub fn uuid(mut self, uuid: impl Into<String>) -> Self {
        self.uuid = uuid.into();
        self
    }

    /// Who subscribed it to the API (`subscriber`).
    pub fn subscriber(mut self, subscriber: impl Into<String>) -> Self {
        self.subscriber = Some(subscriber.into());
        self
    }

    /// The tier of the application (`applicationtier`).
    pub fn application_tier(mut self, tier: impl Into<String>) -> Self {
        self.application_tier = Some(tier.into());
        self
    }

    /// The tier of its subscription (`tier`).
    pub fn tier(mut self, tier: impl Into<String>) -> Self {
        self.tier = Some(tier.into());
        self
    }

    /// Adds one of its attributes (`applicationAttributes`).
    pub fn attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// The bytes it takes in memory, nearly.
    pub(super) fn size(&self) -> usize {
        let optional = [&self.subscriber, &self.application_tier, &self.tier];
        size_of::<Self>()
            + [&self.id, &self.uuid, &self.name]
                .into_iter()
                .chain(optional.into_iter().flatten())
                .chain(
                    self.attributes
                        .iter()
                        .flat_map(|(name, value)| [name, value]),
                )
                .map(String::len)
                .sum::<usize>()
    }
}

/// Without what it says: all of it becomes claims.
impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").finish_non_exhaustive()
    }
}
