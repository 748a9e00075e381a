//! A private key that is to be part of a ring.

use crate::{Algorithm, ConfigError, KeysUnavailable, RsaSize, SigningKey, der};
use zeroize::Zeroizing;

/// A private key that no document has yet.
pub(crate) struct NewKey {
    pub(crate) signing: SigningKey,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

impl NewKey {
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, KeysUnavailable> {
        let made = SigningKey::generate_with_der(algorithm, RsaSize::default());
        made.map(Self::of).map_err(|cause| unusable(&cause))
    }

    pub(super) fn from_pem(algorithm: Algorithm, pem: &[u8]) -> Result<Self, KeysUnavailable> {
        let read = SigningKey::from_pem_with_der(algorithm, pem);
        read.map(Self::of).map_err(|cause| unusable(&cause))
    }

    /// With the algorithm that its kind of key is usually for.
    pub(super) fn from_any_pem(pem: &[u8]) -> Result<Self, KeysUnavailable> {
        let algorithm = der::private_key_pem(pem)
            .and_then(|(key, _)| der::usual_algorithm(key.secret_der()))
            .map_err(|cause| unusable(&cause))?;
        Self::from_pem(algorithm, pem)
    }

    fn of((signing, der): (SigningKey, Zeroizing<Vec<u8>>)) -> Self {
        Self { signing, der }
    }
}

fn unusable(cause: &ConfigError) -> KeysUnavailable {
    KeysUnavailable::new(cause.to_string())
}
