//! Making the backend JWT: a verified token in, a signed JWT out. Knows no HTTP but the field's
//! value.

mod api;
mod application;
mod assertion;
mod auth_type;
mod cache;
mod claim_names;
mod claims;
mod compatibility;
mod copied_claims;
mod custom_claim;
mod flight;
mod lifetime;
mod minted;
mod minter;
mod policy;
mod policy_set;
mod prepared_policy;
mod presets;
mod settings;
mod signatures;
mod taken_fields;

pub use self::{
    api::Api,
    application::{Application, Subscription},
    auth_type::AuthType,
    claims::{BackendClaims, Claims},
    compatibility::Compatibility,
    copied_claims::CopiedClaims,
    custom_claim::{ClaimType, CustomClaim},
    policy::Policy,
    policy_set::{PolicySet, PolicySetBuilder},
    prepared_policy::PreparedPolicy,
};
pub(crate) use self::{
    cache::Caller,
    flight::Awaited,
    minter::{Minter, Minting},
    settings::Settings,
};
