//! Which header fields cannot carry a backend JWT.

/// Fields with a meaning of their own to whatever handles the message: setting one breaks it, the next
/// proxy takes it away, and in responses the layer itself would.
const TAKEN: [&str; 53] = [
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
    "x-frame-options",
];

/// Whole families of them.
const TAKEN_FAMILIES: [&str; 5] = ["accept-", "access-control-", "content-", "if-", "sec-"];

/// Whether a field has a meaning of its own.
pub(super) fn is_taken(header: &str) -> bool {
    TAKEN.contains(&header)
        || TAKEN_FAMILIES
            .iter()
            .any(|family| header.starts_with(family))
}
