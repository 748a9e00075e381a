//! A policy that is ready to sign.

use super::{Api, Policy, minter::Minter};
use std::{fmt, sync::Arc};

/// A policy of a [`PolicySet`](crate::PolicySet), checked and prepared, with the API it is for.
///
/// Cheap to clone. It stays what it is when the set changes: who routes requests can keep it with the
/// route, put it into the request's extensions, and exchange routes and policies at once.
#[derive(Clone)]
pub struct PreparedPolicy(Arc<Minter>);

impl PreparedPolicy {
    /// `minter` has an API.
    pub(super) fn new(minter: Minter) -> Self {
        Self(Arc::new(minter))
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.0.settings().policy
    }

    /// The API it is for.
    pub fn api(&self) -> &Api {
        let api = self.0.settings().api.as_ref();
        api.expect("a set prepares policies of APIs")
    }

    pub(crate) fn minter(&self) -> &Minter {
        &self.0
    }

    /// Whether it would be made from these again.
    pub(super) fn is(&self, policy: &Policy, api: &Api) -> bool {
        let settings = self.0.settings();
        settings.policy == *policy && settings.api.as_ref() == Some(api)
    }
}

impl fmt::Debug for PreparedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PreparedPolicy")
            .field(self.policy())
            .finish()
    }
}
