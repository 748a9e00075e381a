//! The vocabulary of the `jsonwebtoken` crate: conversions both ways, and our prepared keys as its
//! signer and verifier.
//!
//! It is used without a backend and without its process-wide provider: what signs and verifies is
//! ours.
//!
//! ```
//! use jsonwebtoken::crypto::{JwtSigner, JwtVerifier};
//! use signature::{Signer, Verifier};
//! use tower_jwks::{Algorithm, SigningKey};
//!
//! let key = SigningKey::generate(Algorithm::ES256)?;
//! let signature = key.try_sign(b"message")?;
//! assert_eq!(JwtSigner::algorithm(&key), jsonwebtoken::Algorithm::ES256);
//! assert!(Verifier::verify(&key.verifying_key(), b"message", &signature).is_ok());
//!
//! let theirs = jsonwebtoken::jwk::Jwk::try_from(key.jwk())?;
//! assert_eq!(tower_jwks::Jwk::try_from(&theirs)?, *key.jwk());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::{Algorithm, ConfigError, Jwk, JwkSet, KeyRing, SigningKey, VerifyingKey};
use jsonwebtoken::{
    Header,
    crypto::{JwtSigner, JwtVerifier},
    jwk,
};
use signature::{Error, Signer, Verifier};

impl From<Algorithm> for jsonwebtoken::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::RS256 => Self::RS256,
            Algorithm::RS384 => Self::RS384,
            Algorithm::RS512 => Self::RS512,
            Algorithm::PS256 => Self::PS256,
            Algorithm::PS384 => Self::PS384,
            Algorithm::PS512 => Self::PS512,
            Algorithm::ES256 => Self::ES256,
            Algorithm::ES384 => Self::ES384,
            Algorithm::EdDSA => Self::EdDSA,
        }
    }
}

/// Fails for the HMACs, which are none of ours.
impl TryFrom<jsonwebtoken::Algorithm> for Algorithm {
    type Error = ConfigError;

    fn try_from(algorithm: jsonwebtoken::Algorithm) -> Result<Self, ConfigError> {
        Self::ALL
            .iter()
            .copied()
            .find(|ours| jsonwebtoken::Algorithm::from(*ours) == algorithm)
            .ok_or_else(|| ConfigError::new("alg", "is not an asymmetric algorithm known here"))
    }
}

impl TryFrom<&Jwk> for jwk::Jwk {
    type Error = ConfigError;

    fn try_from(ours: &Jwk) -> Result<Self, ConfigError> {
        through_json(ours)
    }
}

/// Fails for a JWK that [`Jwk::parse`] would refuse.
impl TryFrom<&jwk::Jwk> for Jwk {
    type Error = ConfigError;

    fn try_from(theirs: &jwk::Jwk) -> Result<Self, ConfigError> {
        let json = serde_json::to_string(theirs).map_err(|error| unlike(&error))?;
        Self::parse(&json)
    }
}

impl TryFrom<&JwkSet> for jwk::JwkSet {
    type Error = ConfigError;

    fn try_from(ours: &JwkSet) -> Result<Self, ConfigError> {
        through_json(ours)
    }
}

/// Leaves out what [`JwkSet::parse`] would.
impl TryFrom<&jwk::JwkSet> for JwkSet {
    type Error = ConfigError;

    fn try_from(theirs: &jwk::JwkSet) -> Result<Self, ConfigError> {
        Self::parse(serde_json::to_vec(theirs).map_err(|error| unlike(&error))?)
    }
}

fn through_json<T: serde::de::DeserializeOwned>(
    ours: &impl serde::Serialize,
) -> Result<T, ConfigError> {
    let json = serde_json::to_string(ours).map_err(|error| unlike(&error))?;
    serde_json::from_str(&json).map_err(|error| unlike(&error))
}

fn unlike(error: &serde_json::Error) -> ConfigError {
    ConfigError::new("jwk", format!("has another form: {error}"))
}

/// The header of a token that this key signs: `typ`, `alg` and `kid`.
impl From<&SigningKey> for Header {
    fn from(key: &SigningKey) -> Self {
        let mut header = Self::new(key.algorithm().into());
        header.kid = Some(key.kid().to_owned());
        header
    }
}

impl Signer<Vec<u8>> for SigningKey {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.sign(message).map_err(Error::from_source)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl JwtSigner for SigningKey {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        self.algorithm().into()
    }
}

/// Signs with the key that is active now, which another may be for the next: take the header of a
/// token from the [`KeyRing::signing_key`] that signs it.
impl Signer<Vec<u8>> for KeyRing {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let key = self.signing_key().map_err(Error::from_source)?;
        key.try_sign(message)
    }
}

impl JwtSigner for KeyRing {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        Self::algorithm(self).into()
    }
}

impl Verifier<Vec<u8>> for VerifyingKey {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), Error> {
        Self::verify(self, message, signature).map_err(|_| Error::new())
    }
}

impl JwtVerifier for VerifyingKey {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        self.algorithm().into()
    }
}
