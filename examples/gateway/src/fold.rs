//! Names of header fields as a service behind may read them.

use http::HeaderName;

/// Many servers hand headers to programs as variables, in whose names `-`, `_` and `.`, or whatever is
/// neither letter nor digit, are all one.
pub(crate) fn folded(name: &HeaderName) -> String {
    name.as_str()
        .replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}

/// Whether a service behind may take one for the other.
pub(crate) fn alike(one: &HeaderName, other: &HeaderName) -> bool {
    folded(one) == folded(other)
}
