//! What of an access token a backend JWT repeats.

use super::claim_names::is_restricted;
use std::collections::BTreeSet;
use tower_jwks::ConfigError;

/// Which claims of the access token are copied into the backend JWT.
///
/// Whatever is chosen, a copied claim never takes the place of one the gateway makes, nor of a
/// custom one, and `iss`, `sub`, `aud`, `exp`, `nbf`, `iat`, `jti`, `cnf`, `application`,
/// `tierInfo`, `subscribedAPIs` and `aut` are not copied, in whichever case they are written. (`sub` is the
/// same in both, but the gateway says so.) What is named here is compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CopiedClaims(Copied);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Copied {
    Listed(BTreeSet<String>),
    AllBut(BTreeSet<String>),
}

impl CopiedClaims {
    /// No claims.
    pub fn none() -> Self {
        Self::listed(Vec::<String>::new())
    }

    /// These claims.
    pub fn listed<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(Copied::Listed(names.into_iter().map(Into::into).collect()))
    }

    /// All claims, as WSO2's gateways copy them. The service behind then learns whatever the
    /// provider puts into an access token.
    pub fn all() -> Self {
        Self::all_but(Vec::<String>::new())
    }

    /// All claims but these.
    pub fn all_but<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(Copied::AllBut(names.into_iter().map(Into::into).collect()))
    }

    /// Whether a claim of this name is copied. Those that only the gateway makes are checked
    /// elsewhere.
    pub(super) fn includes(&self, name: &str) -> bool {
        let chosen = match &self.0 {
            Copied::Listed(names) => names.contains(name),
            Copied::AllBut(names) => !names.contains(name),
        };
        chosen && !is_restricted(name)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let Copied::Listed(names) = &self.0 else {
            return Ok(());
        };
        match names.iter().find(|name| is_restricted(name)) {
            Some(name) => Err(ConfigError::new(
                "copied claims",
                format!("{name:?} is never copied"),
            )),
            None => Ok(()),
        }
    }
}
