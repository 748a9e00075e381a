//! Making the backend JWT: a verified token in, a signed JWT out. Knows no HTTP but the field's
//! value.

mod api;
mod application;
mod auth_type;
mod cache;
mod claims;
mod compatibility;
mod custom_claim;
mod lifetime;
mod minter;
mod names;
mod policy;
mod policy_set;
mod presets;

pub use self::{
    api::Api,
    application::{Application, Subscription},
    auth_type::AuthType,
    claims::{BackendClaims, Claims},
    compatibility::Compatibility,
    custom_claim::{ClaimType, CustomClaim},
    policy::{CopiedClaims, Policy},
    policy_set::{PolicySet, PolicySetBuilder, PreparedPolicy},
};
pub(crate) use self::{
    cache::Caller,
    minter::{Minter, Settings},
};
