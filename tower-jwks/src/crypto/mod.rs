//! What a cryptographic backend gives: prepared keys that sign and verify bytes, hashes,
//! and a cipher. One file a backend, but for the cipher; the first of them that is compiled in is the one in use.

#[cfg(feature = "rotation")]
use crate::material::PublicMaterial;
use crate::{Algorithm, ConfigError, der};
use rustls_pki_types::PrivateKeyDer;

#[cfg(not(any(feature = "aws-lc-rs", feature = "ring")))]
compile_error!(
    "tower-jwks needs a cryptographic backend: enable the feature `aws-lc-rs` (the default) or `ring`"
);

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(feature = "aws-lc-rs")]
pub(crate) use aws_lc::{PrivateKey, PublicKey, sha1, sha256};

#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
mod ring;
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
pub(crate) use self::ring::{PrivateKey, PublicKey, sha1, sha256};

#[cfg(feature = "rotation")]
mod cipher;
#[cfg(feature = "rotation")]
pub(crate) use self::cipher::{open, random, seal};

impl PrivateKey {
    /// Reads a private key that must be of the kind the algorithm needs.
    pub(crate) fn read(algorithm: Algorithm, der: &PrivateKeyDer<'_>) -> Result<Self, ConfigError> {
        let kind = der::private_key_type(der)?;
        let needed = algorithm.key_type();
        if kind != needed {
            return Err(ConfigError::new(
                "algorithm",
                format!(
                    "{algorithm} needs a key of type {}; this one is {}",
                    needed.name(),
                    kind.name()
                ),
            ));
        }
        Self::parse(kind, der).map_err(der::private_key_error)
    }

    /// The public half of a private key of any kind.
    #[cfg(feature = "rotation")]
    pub(crate) fn public_of(der: &PrivateKeyDer<'_>) -> Result<PublicMaterial, ConfigError> {
        Self::parse(der::private_key_type(der)?, der)
            .and_then(|key| key.public())
            .map_err(der::private_key_error)
    }
}
