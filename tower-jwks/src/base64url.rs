//! base64url and base64, without padding, at the speed of the processor's vector instructions.

use base64::{Engine as _, engine::GeneralPurposeConfig};
use std::sync::LazyLock;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Fast = base64::engine::GeneralPurpose;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
type Fast = base64::engine::Simd;

static URL_SAFE: LazyLock<Fast> = LazyLock::new(|| {
    let config = GeneralPurposeConfig::new().with_encode_padding(false);
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Fast::url_safe(config);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Fast::new(&base64::alphabet::URL_SAFE, config);
});

static STANDARD: LazyLock<Fast> = LazyLock::new(|| {
    let config = GeneralPurposeConfig::new().with_encode_padding(false);
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Fast::standard(config);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Fast::new(&base64::alphabet::STANDARD, config);
});

/// Appends the bytes, in the standard alphabet or in that of URLs.
pub(crate) fn push(text: &mut String, bytes: &[u8], standard: bool) {
    let engine = if standard { &STANDARD } else { &URL_SAFE };
    engine.encode_string(bytes, text);
}

/// How long so many bytes become.
pub(crate) const fn encoded_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}
