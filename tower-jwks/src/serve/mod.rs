//! Publishing the keys over HTTP: [`JwksLayer`] beside a service, [`JwksEndpoint`] as one.

mod answer;
mod body;
mod document;
mod endpoint;
mod future;
mod layer;
mod metadata;
mod rate_limit;

pub(crate) use self::document::Document;
pub use self::{
    answer::MediaType,
    body::{BytesBody, ResponseBody},
    endpoint::JwksEndpoint,
    future::ResponseFuture,
    layer::{Jwks, JwksLayer},
};
