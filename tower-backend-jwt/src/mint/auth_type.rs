//! Callers without an access token.

use crate::{
    Anonymous,
    refusal::{Refusal, RefusalReason},
};
use http::Extensions;
use std::{borrow::Cow, fmt};
use tower_jwks::ConfigError;

/// How a caller without an access token was authenticated; in the request's extensions.
///
/// Who checks API keys or client certificates puts it there, between
/// [`AccessTokenLayer`](crate::AccessTokenLayer), which has to be
/// [optional](crate::AccessTokenLayer::optional), and [`BackendJwtLayer`](crate::BackendJwtLayer). So
/// does who lets everybody through: [`NONE`](Self::NONE). Beside a
/// [`VerifiedToken`](crate::VerifiedToken) it means nothing.
///
/// Such a request carries no backend JWT, or the
/// [minimal](crate::Policy::minimal_assertion) one if the policy asks for it.
///
/// ```
/// use tower_backend_jwt::AuthType;
///
/// let mut request = http::Request::new(());
/// request.extensions_mut().insert(AuthType::API_KEY);
/// assert_eq!(AuthType::new("kerberos")?.as_str(), "kerberos");
/// assert!(AuthType::new("api key").is_err());
/// # Ok::<(), tower_jwks::ConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct AuthType(Cow<'static, str>);

impl AuthType {
    /// `none`: nobody was asked who they are. An [`Anonymous`](crate::Anonymous) caller counts as this.
    pub const NONE: Self = Self(Cow::Borrowed("none"));
    /// `api_key`: by a key that was given to an application.
    pub const API_KEY: Self = Self(Cow::Borrowed("api_key"));
    /// `basic`: by a name and a password (RFC 7617).
    pub const BASIC: Self = Self(Cow::Borrowed("basic"));
    /// `mutual_tls`: by a client certificate.
    pub const MUTUAL_TLS: Self = Self(Cow::Borrowed("mutual_tls"));

    /// Another way: 1 to 32 lower-case letters, digits and underscores.
    ///
    /// # Errors
    ///
    /// It is not such a text.
    pub fn new(name: impl Into<String>) -> Result<Self, ConfigError> {
        let name = name.into();
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if (1..=32).contains(&name.len()) && name.bytes().all(fits) {
            Ok(Self(name.into()))
        } else {
            Err(ConfigError::new(
                "auth type",
                "is not 1 to 32 lower-case letters, digits and underscores",
            ))
        }
    }

    /// How the caller of a request without a token was authenticated, or an error: that there is no token
    /// has to be on purpose.
    pub(crate) fn of(extensions: &Extensions) -> Result<&Self, Refusal> {
        match (extensions.get::<Self>(), extensions.get::<Anonymous>()) {
            (Some(auth_type), _) => Ok(auth_type),
            (None, Some(_)) => Ok(&Self::NONE),
            (None, None) => Err(Refusal::new(RefusalReason::MissingAccessTokenLayer)),
        }
    }

    /// Its name, which the claim `auth_type` has.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AuthType").field(&self.0).finish()
    }
}
