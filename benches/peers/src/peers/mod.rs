//! The peers, one file each: how it is set up, and what its source says.

mod axum_jwt_auth;
mod jwt_authorizer;
mod oauth_resource_server;
#[cfg(feature = "ours")]
mod ours;
mod tower_oauth2_resource_server;

pub(crate) use self::{
    axum_jwt_auth::AxumJwtAuth, jwt_authorizer::JwtAuthorizer,
    oauth_resource_server::OAuthResourceServer,
    tower_oauth2_resource_server::TowerOAuth2ResourceServer,
};
#[cfg(feature = "ours")]
pub(crate) use ours::Ours;
