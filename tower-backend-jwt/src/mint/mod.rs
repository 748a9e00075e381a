//! Making the backend JWT: a verified token in, a signed JWT out. Knows no HTTP but the field's
//! value.

mod api;
mod application;
mod cache;
mod claims;
mod custom_claim;
mod minter;
mod names;
mod policy;
mod presets;

pub(crate) use self::minter::{Minter, Settings};
pub use self::{
    api::Api,
    application::Application,
    claims::{BackendClaims, Claims},
    custom_claim::{ClaimType, CustomClaim},
    policy::{CopiedClaims, Policy},
};
