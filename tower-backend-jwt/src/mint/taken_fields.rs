//! Which header fields cannot carry a backend JWT.

use crate::field::folded;

/// Fields with a meaning of their own to whatever handles the message: setting one breaks it, the next
/// proxy takes it away, and in responses the layer itself would.
const TAKEN: [&str; 56] = [
    "accept",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "clear-site-data",
    "connection",
    "cookie",
    "cross-origin-embedder-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "early-data",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-message",
    "grpc-status",
    "grpc-timeout",
    "host",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "permissions-policy",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "referrer-policy",
    "refresh",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
];

/// Whole families of them.
const TAKEN_FAMILIES: [&str; 5] = ["accept-", "access-control-", "content-", "if-", "sec-"];

/// Whether a field has a meaning of its own, or is taken for one that has: the layer removes a field in every
/// spelling.
pub(super) fn is_taken(header: &str) -> bool {
    let header: String = header
        .bytes()
        .map(|byte| char::from(folded(byte)))
        .collect();
    let header = &*header;
    TAKEN.contains(&header)
        || TAKEN_FAMILIES
            .iter()
            .any(|family| header.starts_with(family))
}
