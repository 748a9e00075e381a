//! What is kept of the certificate of a key.

use crate::{UnixTime, crypto};
use base64::{Engine as _, prelude::BASE64_URL_SAFE};

pub(crate) struct KeyCertificate {
    pub(crate) der: Box<[u8]>,
    /// The hex of its hashes, base64url with padding.
    pub(crate) sha1: String,
    pub(crate) sha256: String,
    pub(crate) not_after: UnixTime,
}

impl KeyCertificate {
    pub(crate) fn new(der: &[u8], not_after: UnixTime) -> Self {
        let encode = |digest: &[u8]| {
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            BASE64_URL_SAFE.encode(hex)
        };
        Self {
            der: der.into(),
            sha1: encode(&crypto::sha1(der)),
            sha256: encode(&crypto::sha256(der)),
            not_after,
        }
    }
}
