//! What is looked up about a caller, so that the backend JWT can say it.

mod application;
mod asking;
mod service;
mod user_claims;

pub use self::{
    application::{ApplicationLayer, ApplicationQuery, ApplicationSource},
    service::{Lookup, LookupFuture},
    user_claims::{ClaimsSource, UserClaimsLayer, UserQuery},
};
