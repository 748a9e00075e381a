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

pub(crate) fn decode(text: &str) -> Result<Vec<u8>, Malformed> {
    ENGINE.decode(text).map_err(|_| Malformed)
}
