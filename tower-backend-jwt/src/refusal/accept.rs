//! What the caller understands.

use http::{
    HeaderMap,
    header::{ACCEPT, CONTENT_TYPE},
};

/// Whether the caller takes JSON: it says so, says anything goes, or says nothing.
pub(super) fn takes_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .peekable();
    ranges.peek().is_none()
        || ranges.any(|range| {
            [
                "*/*",
                "application/*",
                "application/json",
                "application/problem+json",
            ]
            .iter()
            .any(|json| range.eq_ignore_ascii_case(json))
        })
}

/// Whether the caller speaks gRPC, or gRPC-Web.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    const GRPC: &[u8] = b"application/grpc";
    headers.get(CONTENT_TYPE).is_some_and(|value| {
        value
            .as_bytes()
            .get(..GRPC.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(GRPC))
    })
}
