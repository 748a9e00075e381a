//! The API that is called.

/// The API that is called, as the backend JWT names it.
///
/// ```
/// use tower_backend_jwt::Api;
///
/// let api = Api::new("orders", "1.0.0").base_path("/shop/orders");
/// assert_eq!(api.context(), Some("/shop/orders/1.0.0"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Api {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) context: Option<String>,
    pub(super) key_type: String,
}

impl Api {
    /// An API by its name and version, of the key type `PRODUCTION`.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            context: None,
            key_type: "PRODUCTION".to_owned(),
        }
    }

    /// Its context is this path followed by its version.
    pub fn base_path(self, path: &str) -> Self {
        let context = format!("{}/{}", path.trim_end_matches('/'), self.version);
        self.with_context(context)
    }

    /// Its context, whole: `/orders/1.0.0`.
    pub fn with_context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// The kind of environment it runs in. Default: `PRODUCTION`.
    pub fn with_key_type(mut self, key_type: impl Into<String>) -> Self {
        self.key_type = key_type.into();
        self
    }

    /// The kind of environment it runs in.
    #[must_use]
    pub fn key_type(&self) -> &str {
        &self.key_type
    }

    /// The bytes it takes in memory, nearly.
    #[cfg(feature = "sources")]
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>()
            + self.name.len()
            + self.version.len()
            + self.key_type.len()
            + self.context.as_ref().map_or(0, String::len)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its context, if it has one.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }
}
