//! What of a key is kept elsewhere, so that it can be made again, and what is counted of it.

use super::SigningKey;
use crate::{
    Algorithm, ConfigError, RsaSize,
    crypto::PrivateKey,
    der::{self, private_key_error},
};
use rustls_pki_types::PrivatePkcs8KeyDer;
#[cfg(feature = "rotation")]
use std::sync::atomic::Ordering;
use zeroize::Zeroizing;

impl SigningKey {
    /// A new key, and what [`from_der`](Self::from_der) makes it of again.
    pub(crate) fn generate_with_der(
        algorithm: Algorithm,
        size: RsaSize,
    ) -> Result<(Self, Zeroizing<Vec<u8>>), ConfigError> {
        let der =
            PrivateKey::generate_pkcs8(algorithm.key_type(), size).map_err(private_key_error)?;
        let key = Self::read(algorithm, &PrivatePkcs8KeyDer::from(der.as_slice()).into())?;
        Ok((key, der))
    }

    /// The key, and what [`from_der`](Self::from_der) makes it of again, without its certificate.
    pub(crate) fn from_pem_with_der(
        algorithm: Algorithm,
        pem: &[u8],
    ) -> Result<(Self, Zeroizing<Vec<u8>>), ConfigError> {
        let (der, certificate) = der::private_key_pem(pem)?;
        let mut key = Self::read(algorithm, &der)?;
        if let Some(certificate) = certificate {
            key = key.with_certificate_der(&certificate)?;
        }
        Ok((key, Zeroizing::new(der.secret_der().to_vec())))
    }

    /// Its certificate.
    #[cfg(feature = "rotation")]
    pub(crate) fn certificate_der(&self) -> Option<&[u8]> {
        self.certificate
            .as_ref()
            .map(|certificate| &*certificate.der)
    }

    /// How often it has signed.
    #[cfg(feature = "rotation")]
    pub(crate) fn signatures(&self) -> u64 {
        self.signatures.load(Ordering::Relaxed)
    }
}

#[cfg(all(test, feature = "rotation"))]
mod tests {
    use super::*;

    const ALGORITHMS: [Algorithm; 4] = [
        #[cfg(feature = "aws-lc-rs")]
        Algorithm::RS256,
        #[cfg(not(feature = "aws-lc-rs"))]
        Algorithm::ES256,
        Algorithm::ES256,
        Algorithm::ES384,
        Algorithm::EdDSA,
    ];

    #[test]
    fn a_generated_key_is_made_again_of_its_der() {
        for algorithm in ALGORITHMS {
            let (key, der) = SigningKey::generate_with_der(algorithm, RsaSize::default()).unwrap();
            let again = SigningKey::from_der(algorithm, &der).unwrap();
            assert_eq!(again.kid(), key.kid());
            let signature = again.sign(b"message").unwrap();
            assert_eq!(
                key.verifying_key().verify(b"message", signature.as_ref()),
                Ok(())
            );
        }
    }

    #[test]
    fn a_key_of_a_pem_is_made_again_of_its_der_and_its_certificate() {
        let pair = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default()
            .self_signed(&pair)
            .unwrap();
        let pem = pair.serialize_pem() + &certificate.pem();
        let (key, der) = SigningKey::from_pem_with_der(Algorithm::ES256, pem.as_bytes()).unwrap();
        assert_eq!(key.certificate_der(), Some(certificate.der().as_ref()));
        let again = SigningKey::from_der(Algorithm::ES256, &der).unwrap();
        assert_eq!(again.certificate_der(), None);
        let again = again
            .with_certificate_der(key.certificate_der().unwrap())
            .unwrap();
        assert_eq!(again.kid(), key.kid());
        assert_eq!(again.not_after(), key.not_after());
    }

    #[test]
    fn signatures_are_counted_without_the_trial() {
        let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
        assert_eq!(key.signatures(), 0);
        key.sign(b"message").unwrap();
        key.sign_jws("JWT", b"{}").unwrap();
        assert_eq!(key.signatures(), 2);
    }
}
