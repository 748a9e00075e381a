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
        .map(|range| range.split_once(';').unwrap_or((range, "")))
        .filter(|(_, parameters)| !is_refused(parameters))
        .map(|(range, _)| range.trim());
    !headers.contains_key(ACCEPT)
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
        let Some((start, rest)) = value.as_bytes().split_at_checked(GRPC.len()) else {
            return false;
        };
        start.eq_ignore_ascii_case(GRPC) && matches!(rest.first(), None | Some(b'+' | b';' | b'-'))
    })
}

/// A weight of zero says that a media type is not taken.
fn is_refused(parameters: &str) -> bool {
    parameters.split(';').any(|parameter| {
        let weight = parameter.trim().strip_prefix("q=");
        weight.is_some_and(|weight| weight.parse() == Ok(0.0_f32))
    })
}
