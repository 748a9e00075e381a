//! The most instructions that each path may take. `cargo xtask bench instructions --renew` writes them anew, 3 % above
//! what it has counted.

pub(crate) const BARE: u64 = 3_749;
pub(crate) const WARM_VALIDATE: u64 = 7_387;
pub(crate) const WARM_VALIDATE_AND_MINT: u64 = 9_300;
pub(crate) const COLD_VALIDATE_RS256: u64 = 387_633;
pub(crate) const COLD_VALIDATE_ES256: u64 = 816_237;
pub(crate) const FORGED: u64 = 384_180;
pub(crate) const UNKNOWN_KID: u64 = 26_364;
pub(crate) const JWKS: u64 = 2_049;
pub(crate) const JWKS_304: u64 = 2_364;
