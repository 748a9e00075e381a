//! A key of our own, for the layers and for the bare cryptography.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair},
};
use bench_kit::Provider;
use tower_jwks::{Algorithm, KeyRing, SigningKey};

pub(super) struct OwnKey {
    pub(super) algorithm: Algorithm,
    pub(super) der: Vec<u8>,
    pub(super) ring: KeyRing,
}

impl OwnKey {
    pub(super) fn generate(algorithm: Algorithm) -> Self {
        let random = SystemRandom::new();
        let made = "aws-lc-rs generates every kind";
        let der = match algorithm {
            Algorithm::RS256 => Provider::generate().private_key_der(),
            Algorithm::ES256 => {
                let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
                key.expect(made).as_ref().to_vec()
            }
            Algorithm::EdDSA => {
                let key = Ed25519KeyPair::generate_pkcs8(&random);
                key.expect(made).as_ref().to_vec()
            }
            other => panic!("{other:?} is not measured"),
        };
        let key = SigningKey::from_der(algorithm, &der).expect("it was just made");
        Self {
            algorithm,
            der,
            ring: KeyRing::new(key),
        }
    }
}
