//! A hash, by the backend in use.

/// The SHA-256 of some bytes, by the backend in use.
///
/// ```
/// assert_eq!(tower_jwks::sha256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
/// ```
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    crate::crypto::sha256(bytes)
}
