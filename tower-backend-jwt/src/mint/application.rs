//! The application through which an API is called.

use std::{collections::BTreeMap, fmt, sync::Arc};

/// The application through which an API is called, and its subscription: what the backend JWT says
/// of both.
///
/// Whoever knows it puts it into the request's extensions, between
/// [`AccessTokenLayer`](crate::AccessTokenLayer) and
/// [`BackendJwtLayer`](crate::BackendJwtLayer): an [`ApplicationLayer`](crate::ApplicationLayer), or a
/// layer of your own. What is not set is not said. Cheap to clone.
///
/// ```
/// use tower_backend_jwt::Application;
///
/// let application = Application::new("45101ccb-865f-4f48-b7ac-18e43b07edd3", "jwtTest2")
///     .with_subscriber("5f4a7105-a889-4f92-9612-eef5bafe4eec")
///     .with_tier("Unlimited");
/// assert_eq!(application.tier(), Some("Unlimited"));
/// # let mut request = http::Request::new(());
/// request.extensions_mut().insert(application);
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct Application(Arc<Fields>);

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Fields {
    pub(super) id: String,
    pub(super) uuid: String,
    pub(super) name: String,
    pub(super) subscriber: Option<String>,
    pub(super) application_tier: Option<String>,
    pub(super) tier: Option<String>,
    pub(super) attributes: BTreeMap<String, String>,
    subscription: Option<Subscription>,
}

/// Whether an application may call an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subscription {
    /// It is subscribed to it.
    Active,
    /// It is subscribed to it, and blocked for now.
    Blocked,
}

impl Application {
    /// An application by its id and name (`applicationid`, `applicationname`). Its UUID is its id.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        let id = id.into();
        Self(Arc::new(Fields {
            uuid: id.clone(),
            id,
            name: name.into(),
            subscriber: None,
            application_tier: None,
            tier: None,
            attributes: BTreeMap::new(),
            subscription: None,
        }))
    }

    fn with(mut self, change: impl FnOnce(&mut Fields)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Its UUID, where that is not its id (`applicationUUId`).
    pub fn with_uuid(self, uuid: impl Into<String>) -> Self {
        self.with(|fields| fields.uuid = uuid.into())
    }

    /// Who subscribed it to the API (`subscriber`).
    pub fn with_subscriber(self, subscriber: impl Into<String>) -> Self {
        self.with(|fields| fields.subscriber = Some(subscriber.into()))
    }

    /// The tier of the application (`applicationtier`).
    pub fn with_application_tier(self, tier: impl Into<String>) -> Self {
        self.with(|fields| fields.application_tier = Some(tier.into()))
    }

    /// The tier of its subscription (`tier`).
    pub fn with_tier(self, tier: impl Into<String>) -> Self {
        self.with(|fields| fields.tier = Some(tier.into()))
    }

    /// Adds one of its attributes (`applicationAttributes`).
    pub fn with_attribute(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(|fields| {
            fields.attributes.insert(name.into(), value.into());
        })
    }

    /// Its subscription to the API that is called. Default: none.
    ///
    /// No claim says this; an [`ApplicationLayer`](crate::ApplicationLayer) can
    /// [require](crate::ApplicationLayer::require_subscription) an active one.
    pub fn with_subscription(self, subscription: Subscription) -> Self {
        self.with(|fields| fields.subscription = Some(subscription))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Its UUID.
    #[must_use]
    pub fn uuid(&self) -> &str {
        &self.0.uuid
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Who subscribed it to the API.
    #[must_use]
    pub fn subscriber(&self) -> Option<&str> {
        self.0.subscriber.as_deref()
    }

    /// The tier of the application.
    #[must_use]
    pub fn application_tier(&self) -> Option<&str> {
        self.0.application_tier.as_deref()
    }

    /// The tier of its subscription.
    #[must_use]
    pub fn tier(&self) -> Option<&str> {
        self.0.tier.as_deref()
    }

    /// Its attributes, names and values.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        let attributes = self.0.attributes.iter();
        attributes.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Its subscription to the API that is called.
    #[must_use]
    pub fn subscription(&self) -> Option<Subscription> {
        self.0.subscription
    }

    pub(super) fn fields(&self) -> &Fields {
        &self.0
    }

    /// The bytes it takes in memory, nearly.
    pub(crate) fn size(&self) -> usize {
        let fields = self.fields();
        let optional = [&fields.subscriber, &fields.application_tier, &fields.tier];
        size_of::<Fields>()
            + [&fields.id, &fields.uuid, &fields.name]
                .into_iter()
                .chain(optional.into_iter().flatten())
                .chain(
                    fields
                        .attributes
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
