//! The events of the directory.

#![cfg_attr(not(feature = "tracing"), expect(unused_variables))]

use std::path::Path;

/// Others than who runs this process may have the keys.
pub(crate) fn exposed(file: &Path, how: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "tower_jwks",
        file = %file.display(),
        how,
        "others than this process's user may have read the keys"
    );
}

/// The highest epoch was not written down.
pub(super) fn unmarked(error: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "tower_jwks",
        error,
        "an older document of the ring would not be known as such"
    );
}
