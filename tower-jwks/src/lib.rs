//! Keys for services that sign, and for those that verify: hold them, sign with them, publish them as a
//! JWK Set from any tower stack, and fetch those of others.
//!
//! ```
//! use http::{Request, Response};
//! use tower::{Layer, ServiceExt, service_fn};
//! use tower_jwks::{Algorithm, JwksLayer, JwkSet, KeyRing, KeySet};
//! # use http_body_util::{BodyExt, Empty};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = KeyRing::generate(Algorithm::ES256)?;
//!
//! // Any service gets the JWKS route: /.wellknown/jwks and /.well-known/jwks.json.
//! let service = service_fn(async |_: Request<()>| {
//!     Ok::<_, std::convert::Infallible>(Response::new(Empty::<bytes::Bytes>::new()))
//! });
//! let service = JwksLayer::new(keys.clone()).layer(service);
//!
//! // The service signs …
//! let signing = keys.signing_key()?;
//! let signature = signing.sign(b"message")?;
//!
//! // … and whoever fetches the published set can verify.
//! let request = Request::get("/.well-known/jwks.json").body(())?;
//! let json = service.oneshot(request).await?.into_body().collect().await?.to_bytes();
//! let published = KeySet::new(&JwkSet::parse(json)?, Algorithm::ALL);
//! let key = published.find(Some(signing.kid()), Algorithm::ES256).next().expect("it is published");
//! assert_eq!(key.verify(b"message", signature.as_ref()), Ok(()));
//! # Ok(()) }
//! ```
//!
//! # What is here
//!
//! - [`SigningKey`] and [`VerifyingKey`]: prepared once, each bound to one [`Algorithm`].
//! - [`KeyRing`]: the handle that signs and publishes; with [`KeyRing::open`] its keys rotate, over a
//!   [`KeyStore`] that processes share, after a [`RotationPolicy`].
//! - [`Jws`]: what a key signs, in the forms of older products as well.
//! - [`Jwk`] and [`JwkSet`]: public keys as JSON; no type here can publish a private member.
//! - [`JwksLayer`] and [`JwksEndpoint`]: the set over HTTP, in axum, hyper, tonic or anything else
//!   that takes a tower service.
//! - [`KeySet`] and [`KeySource`]: the keys of another party, found by `kid`.
//! - [`RemoteJwks`]: the same, fetched from an identity provider and kept up to date.
//!
//! This crate signs and verifies bytes. It knows no token and no claim: those are
//! `tower-backend-jwt`'s.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `aws-lc-rs` | yes | cryptography by aws-lc-rs; taken when `ring` is on as well |
//! | `ring` | no | cryptography by ring, which cannot generate RSA keys |
//! | `client` | yes | [`HttpClient`], by hyper and rustls, for `RemoteJwks`; brings `remote` |
//! | `remote` | with `client` | [`RemoteJwks`], over any HTTP client that is a tower service; needs a tokio runtime |
//! | `rotation` | yes | [`KeyStore`], [`DirectoryStore`]: rings that rotate, and where they are kept; needs a tokio runtime |
//! | `notify` | no | the directory of a ring is watched, not only read from time to time; brings `rotation` |
//! | `command` | no | the program `tower-jwks`, which tells of rings in directories and changes them; brings `rotation` |
//! | `reqwest` | no | `ReqwestClient`, over reqwest 0.13; brings `remote` |
//! | `tracing` | yes | events of fetching and of rotation |
//! | `jsonwebtoken` | no | `From` and `TryFrom` between its `Algorithm`, `Jwk`, `JwkSet`, `Header` and ours; its `JwtSigner` for [`SigningKey`] and [`KeyRing`], its `JwtVerifier` for [`VerifyingKey`] |
//!
//! One of the two backends is needed; with neither the crate does not compile. There is no
//! process-wide state: nothing is installed, and no other crate's choice is touched.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod algorithm;
mod base64url;
mod clock;
mod crypto;
mod der;
mod digest;
mod error;
#[cfg(feature = "jsonwebtoken")]
mod interop;
mod issuer_serial;
mod jwk;
mod jws;
mod jws_header;
mod key_certificate;
mod key_ring;
mod key_set;
mod key_source;
mod keys_status;
mod material;
mod published;
#[cfg(feature = "remote")]
mod remote;
#[cfg(feature = "rotation")]
mod rotation;
mod rsa_size;
#[cfg(feature = "rotation")]
mod seal;
#[cfg(feature = "rotation")]
mod secret_file;
mod serve;
mod set;
mod signing_key;
#[cfg(feature = "rotation")]
mod store;
#[cfg(all(test, feature = "rotation"))]
mod test_directory;
mod verifying_key;

#[doc(hidden)]
pub use self::digest::sha256;
#[cfg(feature = "client")]
pub use self::remote::{
    HttpClient, HttpClientBody, HttpClientBuilder, HttpClientError, HttpClientFuture,
};
#[cfg(feature = "remote")]
pub use self::remote::{RemoteJwks, RemoteJwksBuilder};
#[cfg(feature = "reqwest")]
pub use self::remote::{ReqwestBody, ReqwestClient, ReqwestError, ReqwestFuture};
#[cfg(feature = "rotation")]
pub use self::rotation::{
    KeyRingStatus, KeyState, NextState, OpenKeyRing, RevokedKey, RingKeyStatus, RotationPolicy,
    RotationPolicyBuilder,
};
#[cfg(feature = "rotation")]
pub use self::seal::KeyEncryptionKey;
#[cfg(feature = "rotation")]
pub use self::store::{DirectoryStore, KeyStore, MemoryStore, PemDirectory, StoredRing, Swap};
pub use self::{
    algorithm::Algorithm,
    clock::{Clock, ManualClock, SystemClock, UnixTime},
    error::{ConfigError, InvalidSignature, KeysUnavailable},
    jwk::Jwk,
    jws::Jws,
    key_ring::{KeyRing, KeyRingBuilder},
    key_set::KeySet,
    key_source::{FixedKeys, KeySource, Waiting},
    keys_status::{FetchFailure, FetchStatus, KeyStatus, KeysStatus},
    published::{PublishKeys, PublishedKeys},
    rsa_size::RsaSize,
    serve::{BytesBody, Jwks, JwksEndpoint, JwksLayer, MediaType, ResponseBody, ResponseFuture},
    set::{JwkSet, LeftOut},
    signing_key::{Signature, SigningKey},
    verifying_key::VerifyingKey,
};
