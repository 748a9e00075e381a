//! The layer that lets a request through only with a valid access token.

mod credentials;
mod future;
mod layer;
mod service;

pub use self::{
    credentials::Scheme,
    future::AccessTokenFuture,
    layer::{AccessTokenLayer, TokenCheck},
    service::AccessToken,
};
