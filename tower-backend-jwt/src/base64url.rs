//! base64url without padding, as every part of a JWS has it (RFC 7515 section 2).

use crate::json::Malformed;
use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurposeConfig},
};
use std::sync::LazyLock;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Engine = base64::engine::GeneralPurpose;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
type Engine = base64::engine::Simd;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    // Bits that a last character does not need must be zero, so that one token has one spelling
    // (RFC 4648 section 3.5).
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(false);
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Engine::url_safe(config);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Engine::new(&base64::alphabet::URL_SAFE, config);
});

/// The bytes, with room for more behind them.
pub(crate) fn decode(text: &str, room: usize) -> Result<Vec<u8>, Malformed> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3 + room);
    let decoded = ENGINE.decode_vec(text, &mut bytes);
    decoded.map(|()| bytes).map_err(|_| Malformed)
}

/// Decodes into a buffer; how many bytes it takes there.
pub(crate) fn decode_into(text: &str, buffer: &mut [u8]) -> Result<usize, Malformed> {
    ENGINE.decode_slice(text, buffer).map_err(|_| Malformed)
}
