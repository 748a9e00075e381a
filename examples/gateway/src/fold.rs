//! Names of header fields as a service behind may read them.

use http::HeaderName;

/// Many servers hand headers to programs as variables, in which `-`, `_` and `.` are all one.
pub(crate) fn folded(name: &HeaderName) -> String {
    name.as_str().replace(['_', '.'], "-")
}
