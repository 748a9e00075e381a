//! The most instructions that each path may take. `cargo xtask bench instructions --renew` writes them anew, 3 % above
//! what it has counted.

pub(crate) const BARE: u64 = 1_000_000;
pub(crate) const WARM_VALIDATE: u64 = 1_000_000;
pub(crate) const WARM_VALIDATE_AND_MINT: u64 = 1_000_000;
pub(crate) const COLD_VALIDATE_RS256: u64 = 1_000_000;
pub(crate) const COLD_VALIDATE_ES256: u64 = 1_000_000;
pub(crate) const FORGED: u64 = 1_000_000;
pub(crate) const UNKNOWN_KID: u64 = 1_000_000;
pub(crate) const JWKS: u64 = 1_000_000;
pub(crate) const JWKS_304: u64 = 1_000_000;
