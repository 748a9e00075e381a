//! What the tests share: tokens good and bad, keys, probes, and what was logged.

pub mod aside;
pub mod body;
pub mod capture;
pub mod corpora;
pub mod echo;
pub mod forge;
pub mod identity_provider;
pub mod keys;
pub mod openssl;
pub mod probe;
pub mod time;
pub mod upstream;

/// The code in what is read first compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../SECURITY.md")]
#[doc = include_str!("../../tower-backend-jwt/README.md")]
#[doc = include_str!("../../tower-jwks/README.md")]
pub struct Readme;
