//! How long a response may be used, by its own fields (RFC 9111 section 4.2).

use http::{HeaderMap, HeaderValue, header};
use std::time::Duration;

/// The freshness that is left, for a private cache. `None`: the response says nothing.
///
/// What is malformed counts as stale (RFC 9111 section 4.2.1).
pub(super) fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    if let Some(told) = by_cache_control(headers) {
        return Some(told.saturating_sub(age(headers)));
    }
    by_expires(headers).map(|told| told.saturating_sub(age(headers)))
}

fn by_cache_control(headers: &HeaderMap) -> Option<Duration> {
    let mut told = None;
    for field in headers.get_all(header::CACHE_CONTROL) {
        for directive in field.as_bytes().split(|byte| *byte == b',') {
            let directive = directive.trim_ascii();
            let (name, value) = match directive.iter().position(|byte| *byte == b'=') {
                Some(at) => (&directive[..at], &directive[at + 1..]),
                None => (directive, &[][..]),
            };
            let seconds = if name.eq_ignore_ascii_case(b"max-age") {
                seconds(value)
            } else if name.eq_ignore_ascii_case(b"no-store")
                || name.eq_ignore_ascii_case(b"no-cache")
            {
                0
            } else {
                continue;
            };
            // Of two that disagree, the one that is the more careful.
            told = Some(told.map_or(seconds, |other: u64| other.min(seconds)));
        }
    }
    told.map(Duration::from_secs)
}

/// Delta-seconds (RFC 9111 section 1.2.2), in quotes too, as some senders write them.
fn seconds(value: &[u8]) -> u64 {
    let value = value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""))
        .unwrap_or(value);
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return 0;
    }
    // All digits, so that it can only be too large.
    str::from_utf8(value)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(u64::MAX)
}

/// How long it was kept by caches on the way.
fn age(headers: &HeaderMap) -> Duration {
    let age = headers.get(header::AGE);
    Duration::from_secs(age.map_or(0, |age| seconds(age.as_bytes())))
}

/// What is malformed is in the past.
fn by_expires(headers: &HeaderMap) -> Option<Duration> {
    let expires = headers.get(header::EXPIRES)?;
    Some(after_sending(headers, expires).unwrap_or_default())
}

/// How long after the response was sent a date in it is, by the sender's own clock: what ours shows
/// does not matter.
pub(super) fn after_sending(headers: &HeaderMap, field: &HeaderValue) -> Option<Duration> {
    let date = |field: &HeaderValue| httpdate::parse_http_date(field.to_str().ok()?).ok();
    let sent = date(headers.get(header::DATE)?)?;
    date(field)?.duration_since(sent).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(fields: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let value = HeaderValue::from_static(value);
            headers.try_append(*name, value).unwrap();
        }
        lifetime(&headers).map(|left| left.as_secs())
    }

    #[test]
    fn a_lifetime_is_what_the_sender_gave_less_its_age() {
        for (fields, expected) in [
            (&[][..], None),
            (&[("cache-control", "max-age=300")], Some(300)),
            (
                &[("cache-control", "public, Max-Age=300, must-revalidate")],
                Some(300),
            ),
            (&[("cache-control", "max-age=\"300\"")], Some(300)),
            (
                &[("cache-control", "max-age=300"), ("age", "100")],
                Some(200),
            ),
            (&[("cache-control", "max-age=300"), ("age", "400")], Some(0)),
            (
                &[
                    ("cache-control", "max-age=300"),
                    ("cache-control", "max-age=60"),
                ],
                Some(60),
            ),
            (&[("cache-control", "no-cache, max-age=300")], Some(0)),
            (&[("cache-control", "no-store")], Some(0)),
            (
                &[("cache-control", "max-age=99999999999999999999999")],
                Some(u64::MAX),
            ),
            (&[("cache-control", "max-age=-1")], Some(0)),
            (&[("cache-control", "max-age=soon")], Some(0)),
            (&[("cache-control", "max-age")], Some(0)),
            (&[("cache-control", "private")], None),
        ] {
            assert_eq!(told(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn expires_counts_where_cache_control_says_nothing() {
        const DATE: (&str, &str) = ("date", "Tue, 03 Feb 2026 04:05:06 GMT");
        const LATER: (&str, &str) = ("expires", "Tue, 03 Feb 2026 04:15:06 GMT");
        assert_eq!(told(&[DATE, LATER]), Some(600));
        assert_eq!(told(&[DATE, LATER, ("age", "60")]), Some(540));
        assert_eq!(
            told(&[DATE, LATER, ("cache-control", "max-age=5")]),
            Some(5)
        );
        assert_eq!(
            told(&[DATE, ("expires", "Mon, 02 Feb 2026 04:05:06 GMT")]),
            Some(0)
        );
        assert_eq!(told(&[DATE, ("expires", "0")]), Some(0));
        assert_eq!(told(&[LATER]), Some(0));
    }
}
