//! The layer that lets a request through only with a valid access token.

mod credentials;
mod layer;
mod service;

pub use self::{
    credentials::Scheme,
    layer::{AccessTokenLayer, TokenCheck},
    service::AccessToken,
};
