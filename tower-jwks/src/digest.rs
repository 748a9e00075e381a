//! A hash, by the backend in use.

/// The SHA-256 of some bytes, by the backend in use: for `tower-backend-jwt`, which has none of its own.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    crate::crypto::sha256(bytes)
}
