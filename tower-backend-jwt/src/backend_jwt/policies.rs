//! After which policy a request is told of.

use super::field_names::Names;
use crate::{
    BackendClaims, PolicySet, PreparedPolicy,
    mint::{Minter, Settings},
    refusal::Responder,
};
use http::request::Parts;
use std::{fmt, sync::Arc};

/// Chooses the policy of a request among those of a [`PolicySet`].
///
/// Implemented by closures `Fn(&PolicySet, &Parts) -> Option<PreparedPolicy>`. It sees the request without
/// the fields that carry backend JWTs, and with what is in its extensions.
pub trait ChoosePolicy: Send + Sync + 'static {
    /// The policy for a request with this head. Without one the request is answered `500`: it does not go
    /// on untold of.
    fn choose_policy(&self, policies: &PolicySet, request: &Parts) -> Option<PreparedPolicy>;
}

impl<F> ChoosePolicy for F
where
    F: Fn(&PolicySet, &Parts) -> Option<PreparedPolicy> + Send + Sync + 'static,
{
    fn choose_policy(&self, policies: &PolicySet, request: &Parts) -> Option<PreparedPolicy> {
        self(policies, request)
    }
}

/// Always this one: for who routes requests, and has a layer for each route.
impl ChoosePolicy for PreparedPolicy {
    fn choose_policy(&self, _: &PolicySet, _: &Parts) -> Option<PreparedPolicy> {
        Some(self.clone())
    }
}

/// The one policy of a [`BackendJwtLayer`](crate::BackendJwtLayer), and its API.
#[derive(Clone)]
pub struct OnePolicy(pub(super) Arc<Minter>);

/// The policy of each request, of a [`PolicySet`].
#[derive(Clone)]
pub struct ChosenPolicy {
    pub(super) policies: PolicySet,
    pub(super) choose: Arc<dyn ChoosePolicy>,
}

/// What the services of a layer share.
#[derive(Clone)]
pub(super) struct Telling {
    pub(super) policies: Policies,
    pub(super) claims: Option<Arc<dyn BackendClaims>>,
    pub(super) responder: Responder,
}

#[derive(Clone)]
pub(super) enum Policies {
    One(OnePolicy),
    Chosen(ChosenPolicy),
}

impl Telling {
    /// The fields that are the gateway's.
    pub(super) fn headers(&self) -> Names {
        match &self.policies {
            Policies::One(OnePolicy(minter)) => {
                Names::One(minter.settings().policy.header_name().clone())
            }
            Policies::Chosen(chosen) => Names::Several(chosen.policies.headers()),
        }
    }
}

impl OnePolicy {
    pub(super) fn new(settings: Settings) -> Self {
        Self(Arc::new(Minter::new(settings)))
    }

    pub(super) fn with(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.0.settings().clone();
        change(&mut settings);
        Self::new(settings)
    }
}

impl From<OnePolicy> for Policies {
    fn from(policy: OnePolicy) -> Self {
        Self::One(policy)
    }
}

impl From<ChosenPolicy> for Policies {
    fn from(chosen: ChosenPolicy) -> Self {
        Self::Chosen(chosen)
    }
}

impl fmt::Debug for OnePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OnePolicy").field(&self.0).finish()
    }
}

impl fmt::Debug for ChosenPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ChosenPolicy").field(&self.policies).finish()
    }
}

impl fmt::Debug for Telling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telling")
            .field("headers", &self.headers())
            .field("responder", &self.responder)
            .finish_non_exhaustive()
    }
}
