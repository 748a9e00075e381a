//! ring: the other backend. It has no parsed form of a public key, and cannot generate RSA keys.

use crate::{
    Algorithm, RsaSize,
    algorithm::KeyType,
    der::{self, Sec1},
    material::PublicMaterial,
};
use ::ring::{
    agreement, digest,
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
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
        _size: RsaSize,
    ) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        let random = SystemRandom::new();
        let document = match kind {
            KeyType::Rsa => {
                return Err(
                    "ring cannot generate RSA keys; enable the feature `aws-lc-rs`, or read the key from a file",
                );
            }
            KeyType::P256 => {
                EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            }
            KeyType::P384 => {
                EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &random)
            }
            KeyType::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random),
        };
        match document {
            Ok(document) => Ok(Zeroizing::new(document.as_ref().to_vec())),
            Err(_) => Err("could not be generated"),
        }
    }

    pub(super) fn parse(kind: KeyType, der: &PrivateKeyDer<'_>) -> Result<Self, &'static str> {
        const INVALID: &str = "is not a valid private key, or its size is not supported";
        let random = SystemRandom::new();
        let bytes = der.secret_der();
        let ec = |algorithm| match der {
            PrivateKeyDer::Sec1(_) => {
                let key = Sec1::parse(bytes)?;
                let point = key.point.ok_or("has no public point, which ring needs")?;
                EcdsaKeyPair::from_private_key_and_public_key(algorithm, key.secret, point, &random)
                    .map_err(|_| INVALID)
            }
            _ => EcdsaKeyPair::from_pkcs8(algorithm, bytes, &random).map_err(|_| INVALID),
        };
        match kind {
            KeyType::Rsa if matches!(der, PrivateKeyDer::Pkcs1(_)) => RsaKeyPair::from_der(bytes)
                .map(Self::Rsa)
                .map_err(|_| INVALID),
            KeyType::Rsa => RsaKeyPair::from_pkcs8(bytes)
                .map(Self::Rsa)
                .map_err(|_| INVALID),
            KeyType::P256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).map(Self::P256),
            KeyType::P384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).map(Self::P384),
            // OpenSSL writes version 1, which has no public key to check against.
            KeyType::Ed25519 => Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes)
                .map(Self::Ed25519)
                .map_err(|_| INVALID),
        }
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
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(encoding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Self::P256(key) | Self::P384(key) => {
                Some(key.sign(&random, message).ok()?.as_ref().to_vec())
            }
            Self::Ed25519(key) => Some(key.sign(message).as_ref().to_vec()),
        }
    }
}

pub(crate) enum PublicKey {
    Rsa {
        parameters: &'static signature::RsaParameters,
        n: Box<[u8]>,
        e: Box<[u8]>,
    },
    Other(signature::UnparsedPublicKey<Vec<u8>>),
}

impl PublicKey {
    /// Fails when the numbers are no key, a point off its curve for one.
    pub(crate) fn new(algorithm: Algorithm, material: &PublicMaterial) -> Option<Self> {
        Some(match material {
            PublicMaterial::Rsa { n, e } => Self::Rsa {
                parameters: match algorithm {
                    Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                    Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
                    Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
                    Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => return None,
                },
                n: n.clone(),
                e: e.clone(),
            },
            PublicMaterial::P256 { x, y } => {
                let point = [&[4], &x[..], &y[..]].concat();
                on_curve(&agreement::ECDH_P256, &point)?;
                Self::Other(signature::UnparsedPublicKey::new(
                    &signature::ECDSA_P256_SHA256_FIXED,
                    point,
                ))
            }
            PublicMaterial::P384 { x, y } => {
                let point = [&[4], &x[..], &y[..]].concat();
                on_curve(&agreement::ECDH_P384, &point)?;
                Self::Other(signature::UnparsedPublicKey::new(
                    &signature::ECDSA_P384_SHA384_FIXED,
                    point,
                ))
            }
            PublicMaterial::Ed25519 { x } => Self::Other(signature::UnparsedPublicKey::new(
                &signature::ED25519,
                x.to_vec(),
            )),
        })
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { parameters, n, e } => signature::RsaPublicKeyComponents { n, e }
                .verify(parameters, message, signature)
                .is_ok(),
            Self::Other(key) => key.verify(message, signature).is_ok(),
        }
    }
}

/// ring looks at a point only when it is used; a key agreement makes it look now.
fn on_curve(algorithm: &'static agreement::Algorithm, point: &[u8]) -> Option<()> {
    let random = SystemRandom::new();
    let ours = agreement::EphemeralPrivateKey::generate(algorithm, &random).ok()?;
    let theirs = agreement::UnparsedPublicKey::new(algorithm, point);
    agreement::agree_ephemeral(ours, &theirs, |_| ()).ok()
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
