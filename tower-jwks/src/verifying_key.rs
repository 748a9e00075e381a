//! A public key that verifies one algorithm, prepared once.

use crate::{Algorithm, ConfigError, InvalidSignature, Jwk, crypto, der, material::PublicMaterial};
use std::fmt;

/// A public key, prepared for verifying one algorithm.
///
/// The algorithm comes from here and never from a token: a key for `RS256` refuses whatever was
/// signed with `PS256`.
///
/// ```
/// use tower_jwks::{Algorithm, InvalidSignature, SigningKey, VerifyingKey};
///
/// let signing = SigningKey::generate(Algorithm::EdDSA)?;
/// let key = VerifyingKey::from_jwk(Algorithm::EdDSA, signing.jwk())?;
/// let signature = signing.sign(b"message")?;
/// assert_eq!(key.verify(b"message", signature.as_ref()), Ok(()));
/// assert!(key.verify(b"another", signature.as_ref()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VerifyingKey {
    algorithm: Algorithm,
    jwk: Jwk,
    public: crypto::PublicKey,
}

impl VerifyingKey {
    /// Prepares the key of a JWK.
    ///
    /// # Errors
    ///
    /// The JWK is for another algorithm, or its numbers are no key.
    pub fn from_jwk(algorithm: Algorithm, jwk: &Jwk) -> Result<Self, ConfigError> {
        if let Some(other) = jwk.algorithm().filter(|other| *other != algorithm) {
            return Err(ConfigError::new(
                "alg",
                format!("the key is for {other}, not for {algorithm}"),
            ));
        }
        let mut key = Self::new(algorithm, jwk.material().clone())?;
        if let Some(kid) = jwk.kid() {
            key.jwk.set_kid(kid.to_owned())?;
        }
        Ok(key)
    }

    /// Reads a public key from PEM: SPKI (`PUBLIC KEY`), PKCS#1 (`RSA PUBLIC KEY`) or the key of a
    /// `CERTIFICATE`.
    ///
    /// Such a key has no `kid`: it is tried for a token of any.
    ///
    /// # Errors
    ///
    /// There is no readable public key, it does not fit the algorithm, or it is too weak.
    pub fn from_pem(algorithm: Algorithm, pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        Self::new(algorithm, der::public_key_pem(pem.as_ref())?)
    }

    /// Reads a public key from DER: SPKI, PKCS#1 or the key of a certificate.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, ConfigError> {
        Self::new(algorithm, der::public_key_der(der)?)
    }

    fn new(algorithm: Algorithm, material: PublicMaterial) -> Result<Self, ConfigError> {
        let (needed, kind) = (algorithm.key_type(), material.key_type());
        if needed != kind {
            return Err(ConfigError::new(
                "algorithm",
                format!(
                    "{algorithm} needs a key of type {}; this one is {}",
                    needed.name(),
                    kind.name()
                ),
            ));
        }
        let public = crypto::PublicKey::new(algorithm, &material)
            .ok_or_else(|| ConfigError::new("public key", "its numbers are no key"))?;
        Ok(Self {
            algorithm,
            jwk: Jwk::new(material, algorithm),
            public,
        })
    }

    /// Gives it a `kid`: 1 to 256 bytes, no control characters. From then on only tokens with that
    /// `kid`, or with none, are tried with it.
    ///
    /// # Errors
    ///
    /// It is not such a text.
    pub fn with_kid(mut self, kid: impl Into<String>) -> Result<Self, ConfigError> {
        self.jwk.set_kid(kid.into())?;
        Ok(self)
    }

    /// The algorithm it verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its key id, where it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.jwk.kid()
    }

    /// The key as a JWK.
    #[must_use]
    pub const fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// Verifies the signature of `message`. ECDSA signatures are `r || s` (RFC 7518 section 3.4).
    ///
    /// # Errors
    ///
    /// It does not hold.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        if self.public.verify(message, signature) {
            Ok(())
        } else {
            Err(InvalidSignature)
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}
