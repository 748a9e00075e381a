//! The most instructions that each path may take. `cargo xtask bench instructions --renew` writes them anew, 3 % above
//! what it has counted.

pub(crate) const BARE: u64 = 3_747;
pub(crate) const WARM_VALIDATE: u64 = 7_416;
pub(crate) const WARM_VALIDATE_AND_MINT: u64 = 9_345;
pub(crate) const COLD_VALIDATE_RS256: u64 = 390_117;
pub(crate) const COLD_VALIDATE_ES256: u64 = 818_887;
pub(crate) const FORGED: u64 = 386_134;
pub(crate) const UNKNOWN_KID: u64 = 28_544;
pub(crate) const JWKS: u64 = 4_549;
pub(crate) const JWKS_304: u64 = 3_246;
