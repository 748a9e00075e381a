//! The layer that tells the service behind who is calling.

mod body;
mod field_names;
mod future;
mod layer;
mod policies;
mod service;
mod strip;

pub use self::{
    body::StripBody,
    future::{BackendJwtFuture, StripHeaderFuture},
    layer::BackendJwtLayer,
    policies::{ChoosePolicy, ChosenPolicy, OnePolicy},
    service::BackendJwt,
    strip::{StripHeader, StripHeaderLayer},
};
