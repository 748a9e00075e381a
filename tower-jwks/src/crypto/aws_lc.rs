//! aws-lc-rs: the default backend. Public keys are parsed once and kept in that form.

use crate::{Algorithm, RsaSize, algorithm::KeyType, der, material::PublicMaterial};
use aws_lc_rs::{
    digest,
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey, RsaKeyPair},
};
use rustls_pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

pub(crate) enum PrivateKey {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    pub(crate) fn generate_pkcs8(
        kind: KeyType,
        size: RsaSize,
    ) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        let random = SystemRandom::new();
        let size = match size {
            RsaSize::Bits2048 => KeySize::Rsa2048,
            RsaSize::Bits3072 => KeySize::Rsa3072,
            RsaSize::Bits4096 => KeySize::Rsa4096,
        };
        // Both kinds of document wipe themselves.
        let bytes = |der: &[u8]| Zeroizing::new(der.to_vec());
        let ec = |algorithm| {
            EcdsaKeyPair::generate_pkcs8(algorithm, &random).map(|der| bytes(der.as_ref()))
        };
        match kind {
            KeyType::Rsa => RsaKeyPair::generate(size)
                .and_then(|key| AsDer::<Pkcs8V1Der<'_>>::as_der(&key))
                .map(|der| bytes(der.as_ref())),
            KeyType::P256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            KeyType::P384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            KeyType::Ed25519 => {
                Ed25519KeyPair::generate_pkcs8(&random).map(|der| bytes(der.as_ref()))
            }
        }
        .map_err(|_| "could not be generated")
    }

    pub(super) fn parse(kind: KeyType, der: &PrivateKeyDer<'_>) -> Result<Self, &'static str> {
        let bytes = der.secret_der();
        let parsed = match kind {
            KeyType::Rsa if matches!(der, PrivateKeyDer::Pkcs1(_)) => {
                RsaKeyPair::from_der(bytes).map(Self::Rsa)
            }
            KeyType::Rsa => RsaKeyPair::from_pkcs8(bytes).map(Self::Rsa),
            KeyType::P256 => EcdsaKeyPair::from_private_key_der(
                &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
                bytes,
            )
            .map(Self::P256),
            KeyType::P384 => EcdsaKeyPair::from_private_key_der(
                &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
                bytes,
            )
            .map(Self::P384),
            // OpenSSL writes version 1, which has no public key to check against.
            KeyType::Ed25519 => {
                Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map(Self::Ed25519)
            }
        };
        parsed.map_err(|_| "is not a valid private key, or its size is not supported")
    }

    pub(crate) fn public(&self) -> Result<PublicMaterial, &'static str> {
        match self {
            Self::Rsa(key) => der::public_key_pkcs1(key.public_key().as_ref()),
            Self::P256(key) => der::public_point(KeyType::P256, key.public_key().as_ref()),
            Self::P384(key) => der::public_point(KeyType::P384, key.public_key().as_ref()),
            Self::Ed25519(key) => PublicMaterial::ed25519(key.public_key().as_ref()),
        }
    }

    /// `None` when the algorithm is not one of this key, or the backend fails.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let encoding: &dyn signature::RsaEncoding = match algorithm {
                    Algorithm::RS256 => &signature::RSA_PKCS1_SHA256,
                    Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::PS256 => &signature::RSA_PSS_SHA256,
                    Algorithm::PS384 => &signature::RSA_PSS_SHA384,
                    Algorithm::PS512 => &signature::RSA_PSS_SHA512,
                    Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => return None,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Self::P256(key) | Self::P384(key) => {
                Some(key.sign(&random, message).ok()?.as_ref().to_vec())
            }
            Self::Ed25519(key) => Some(key.try_sign(message).ok()?.as_ref().to_vec()),
        }
    }
}

pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// Fails when the numbers are no key, a point off its curve for one.
    pub(crate) fn new(algorithm: Algorithm, material: &PublicMaterial) -> Option<Self> {
        let parsed = match material {
            PublicMaterial::Rsa { n, e } => {
                let parameters = match algorithm {
                    Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                    Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
                    Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
                    Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => return None,
                };
                signature::RsaPublicKeyComponents {
                    n: n.as_ref(),
                    e: e.as_ref(),
                }
                .to_parsed_public_key(parameters)
            }
            PublicMaterial::P256 { x, y } => ParsedPublicKey::new(
                &signature::ECDSA_P256_SHA256_FIXED,
                [&[4], &x[..], &y[..]].concat(),
            ),
            PublicMaterial::P384 { x, y } => ParsedPublicKey::new(
                &signature::ECDSA_P384_SHA384_FIXED,
                [&[4], &x[..], &y[..]].concat(),
            ),
            PublicMaterial::Ed25519 { x } => ParsedPublicKey::new(&signature::ED25519, x),
        };
        parsed.ok().map(Self)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    hash
}

/// Only for the name of a certificate, which whoever reads it does not trust for its own sake.
pub(crate) fn sha1(data: &[u8]) -> [u8; 20] {
    let mut hash = [0; 20];
    hash.copy_from_slice(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, data).as_ref());
    hash
}
